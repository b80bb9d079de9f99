//! The model, as the server sees it.

use label_studio_inference::{
    grounding_dino::{Detector, Prompt, PromptControls, Thresholds, image_address, rectangles},
    images::{self, Limits, RgbImage},
};
use label_studio_ml::{
    Action, Event, Model, PredictRequest, Prediction, Predictions, Project, RawError, Task,
    TaskPrediction, Value, anyhow, json, sdk::Pair,
};

use crate::{regions, stored};

/// Finds what the prompt names. The prompt comes from the text area that the annotator has just typed into, or else from
/// the last annotation.
pub struct GroundingDino {
    /// Finds things in images.
    pub detector: Detector,
    /// What holds where the project does not say otherwise.
    pub options: Options,
}

/// What holds where the project does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How sure the model must be.
    pub thresholds: Thresholds,
    /// How large images may be.
    pub limits: Limits,
    /// Images that are decoded at a time.
    pub batch_size: usize,
}

impl Model for GroundingDino {
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let config = project.label_config();
        let output = config.first_pair("RectangleLabels", "Image")?;
        let controls = PromptControls::find(config)?;
        let context = request.context_regions();
        let typed = if context.is_empty() {
            stored::prompt(project)?
        } else {
            controls.typed(context).map(str::to_owned)
        };
        let typed = typed.unwrap_or_default();
        let Some(prompt) = Prompt::new(&typed, &output.control.labels) else {
            tracing::warn!("no prompt, so nothing is looked for");
            return Ok(Predictions::default());
        };
        let stored = stored::thresholds(project, &controls, self.options.thresholds)?;
        let thresholds = controls.thresholds(context, stored);
        let thresholds = thresholds.map_err(|error| RawError::new(400, format!("{error:#}")))?;

        let mut predictions = Vec::with_capacity(request.tasks.len());
        for tasks in request.tasks.chunks(self.options.batch_size.max(1)) {
            predictions.extend(self.predict_batch(project, output, tasks, &prompt, thresholds));
        }
        if context.is_empty() {
            let echo = regions::echo(&controls, &typed, thresholds);
            for prediction in &mut predictions {
                if let TaskPrediction::One(prediction) = prediction {
                    prediction
                        .result
                        .extend(echo.iter().cloned().map(Into::into));
                }
            }
        }
        Ok(predictions.into_iter().collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if !matches!(
            event.action,
            Action::AnnotationCreated | Action::AnnotationUpdated
        ) {
            return Ok(Value::Null);
        }
        let controls = PromptControls::find(project.label_config())?;
        let result = event.payload.pointer("/annotation/result");
        let regions = result
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let remembered = stored::remember(project, &controls, regions)?;
        Ok(json!({ "remembered": remembered }))
    }

    fn name(&self) -> &'static str {
        "GroundingDINO"
    }
}

impl GroundingDino {
    fn predict_batch(
        &self,
        project: &Project,
        output: Pair<'_>,
        tasks: &[Task],
        prompt: &Prompt,
        thresholds: Thresholds,
    ) -> Vec<TaskPrediction> {
        let images: Vec<_> = tasks
            .iter()
            .map(|task| self.image(project, output, task))
            .collect();
        let readable: Vec<_> = images.iter().flatten().collect();
        let found = self.detector.detect(&readable, prompt, thresholds);
        let mut found = found.map(Vec::into_iter).map_err(anyhow::Error::from);
        images
            .iter()
            .map(|image| {
                let image = match image {
                    Ok(image) => image,
                    Err(error) => return TaskPrediction::Failed(format!("{error:#}")),
                };
                match &mut found {
                    Ok(found) => {
                        let found = found.next().unwrap_or_default();
                        let regions = rectangles(output, prompt, &found, image.dimensions());
                        Prediction::new(regions).with_mean_score().into()
                    }
                    Err(error) => TaskPrediction::Failed(format!("{error:#}")),
                }
            })
            .collect()
    }

    fn image(&self, project: &Project, output: Pair<'_>, task: &Task) -> anyhow::Result<RgbImage> {
        let address = image_address(output.object, &task.data)?;
        let path = project.local_path(task, address)?;
        Ok(images::open(&path, &self.options.limits)?)
    }
}

//! The `Model` of the backend.

use label_studio_ml::{
    Action, AnnotatedEntry, Event, LabelConfig, Model, PredictRequest, Prediction, Predictions,
    Project, TaskPrediction, Value, anyhow, json, raw::RawError,
};
use label_studio_vision::{
    ShapeTags,
    batches::ImagesOfTasks,
    models::grounding_dino::{Finder, Prompt, PromptControls, as_stored, rectangles},
};

use crate::{regions, stored};

/// Controls that can hold what is found.
const RECTANGLES: [&str; 2] = ["RectangleLabels", "Rectangle"];

/// Detects the objects of a prompt. The prompt comes from the text area that the annotator has just
/// typed into, or else from the last annotation.
pub struct GroundingDino {
    /// Detects objects in the images of tasks.
    pub finder: Finder,
}

impl Model for GroundingDino {
    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        label_config.first_pair(&RECTANGLES, "Image")?;
        PromptControls::find(label_config)?;
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let config = project.label_config();
        let output = config.first_pair(&RECTANGLES, "Image")?;
        let tags = ShapeTags::new(config, output);
        let controls = PromptControls::find(config)?;
        let context = request.context.as_ref();
        let default = self.finder.thresholds;
        // The interactive context replaces the stored prompt, even if it is empty.
        let is_typed = context.is_some_and(|context| context["result"].is_array());
        let (typed, thresholds) = if is_typed {
            let regions = request.context_regions();
            let thresholds = controls.thresholds(regions, default);
            (controls.typed(regions).map(str::to_owned), thresholds)
        } else {
            let thresholds = stored::thresholds(project, &controls, default)?;
            (
                stored::prompt(project)?,
                controls.thresholds(&[], thresholds),
            )
        };
        let thresholds = thresholds.map_err(|error| RawError::new(400, format!("{error:#}")))?;
        let typed = typed.unwrap_or_default();
        let Some(prompt) = Prompt::new(&typed, &tags.labels().labels) else {
            tracing::warn!("no prompt: nothing is detected");
            return Ok(Predictions::default());
        };

        let search = self.finder.detector.search(&prompt, thresholds)?;
        let images = ImagesOfTasks {
            object: output.object,
            tasks: &request.tasks,
            local_path: &|task, url| Ok(project.local_path(task, url)?),
        };
        // Annotators see which prompt was used where they have typed nothing.
        let echo = match context.and_then(Value::as_object) {
            Some(context) if !context.is_empty() => Vec::new(),
            _ => regions::echo(&controls, &typed, thresholds),
        };
        let found = self.finder.predict(search, images, |image, found| {
            let found = rectangles(tags, &prompt, found, image.size);
            Ok(if is_typed { found } else { as_stored(found) })
        });
        let with_echo = |mut prediction: Prediction| {
            let echo = echo.iter().cloned();
            prediction.result.extend(echo.map(Into::into));
            prediction
        };
        let found = found.into_iter().map(|found| found.map(with_echo));
        Ok(found.map(TaskPrediction::from).collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if !matches!(
            event.action,
            Action::AnnotationCreated | Action::AnnotationUpdated
        ) {
            return Ok(Value::Null);
        }
        let mut remembered = Vec::new();
        for AnnotatedEntry { project, regions } in project.annotated_entries(event)? {
            let controls = PromptControls::find(project.label_config())?;
            for name in stored::remember(&project, &controls, &regions)? {
                if !remembered.contains(&name) {
                    remembered.push(name);
                }
            }
        }
        Ok(json!({ "remembered": remembered }))
    }

    fn name(&self) -> &'static str {
        "GroundingDINO"
    }
}

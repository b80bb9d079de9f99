//! The model, as the server sees it.

use label_studio_inference::{
    boxes::clip,
    grounding_dino::{
        Detection, Detector, Prompt, PromptControls, Thresholds, image_address, label_for,
        rectangles,
    },
    images::{self, Limits, RgbImage},
    sam::{self, Predictor},
};
use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, RawError, Region, Task,
    TaskPrediction, Value,
    anyhow::{self, Context},
    sdk::Pair,
};

/// Version that the original gives its predictions.
const VERSION: &str = "DINOBackend-v0.0.1";
/// Controls that can hold a mask, in the order of preference.
const MASKS: [&[&str]; 2] = [&["BrushLabels", "Brush"], &["PolygonLabels", "Polygon"]];

/// Finds what the annotator has just typed. Without a prompt it predicts nothing.
pub struct GroundingSam {
    /// Finds things in images.
    pub detector: Detector,
    /// Makes masks of what was found, if masks are wanted.
    pub segmenter: Option<Predictor>,
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

impl Model for GroundingSam {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let context = request.context_regions();
        if context.is_empty() {
            return Ok(Predictions::default());
        }
        let config = project.label_config();
        let output = self.output(config)?;
        let controls = PromptControls::find(config)?;
        let typed = controls.typed(context).unwrap_or_default();
        let Some(prompt) = Prompt::new(typed, &output.control.labels) else {
            tracing::warn!("no prompt, so nothing is looked for");
            return Ok(Predictions::default());
        };
        let thresholds = controls.thresholds(context, self.options.thresholds);
        let thresholds = thresholds.map_err(|error| RawError::new(400, format!("{error:#}")))?;
        let mut predictions = Vec::with_capacity(request.tasks.len());
        for tasks in request.tasks.chunks(self.options.batch_size.max(1)) {
            predictions.extend(self.predict_batch(project, output, tasks, &prompt, thresholds));
        }
        Ok(predictions.into_iter().collect())
    }

    fn name(&self) -> &'static str {
        "DINOBackend"
    }
}

impl GroundingSam {
    /// Returns the control that takes what is found, and its image.
    fn output<'a>(&self, config: &'a LabelConfig) -> anyhow::Result<Pair<'a>> {
        if self.segmenter.is_none() {
            return Ok(config.first_pair("RectangleLabels", "Image")?);
        }
        let pair = MASKS
            .iter()
            .find_map(|tags| config.first_pair(*tags, "Image").ok());
        pair.context(
            "masks are switched on (USE_SAM, USE_MOBILE_SAM), but the label config has no <BrushLabels> or <PolygonLabels> \
             on an <Image>: add one, or switch them off to get rectangles",
        )
    }

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
            .map(|image| match (image, &mut found) {
                (Err(error), _) => TaskPrediction::Failed(format!("{error:#}")),
                (_, Err(error)) => TaskPrediction::Failed(format!("{error:#}")),
                (Ok(image), Ok(found)) => {
                    let found = found.next().unwrap_or_default();
                    let regions = self.regions(output, prompt, &found, image);
                    regions
                        .map(|regions| Prediction::new(regions).with_mean_score())
                        .into()
                }
            })
            .collect()
    }

    fn regions(
        &self,
        output: Pair<'_>,
        prompt: &Prompt,
        found: &[Detection],
        image: &RgbImage,
    ) -> anyhow::Result<Vec<Region>> {
        let size = image.dimensions();
        let Some(segmenter) = self.segmenter.as_ref().filter(|_| !found.is_empty()) else {
            let mut regions = rectangles(output, prompt, found, size);
            for region in &mut regions {
                region
                    .extra
                    .insert("readonly".to_owned(), Value::Bool(false));
            }
            return Ok(regions);
        };
        let embedding = segmenter.embed(image)?;
        let mut regions = Vec::new();
        for found in found {
            let rectangle = clip(found.pixels(size), size);
            let masked = segmenter.segment(&embedding, &sam::Prompt::rectangle(rectangle))?;
            let label = label_for(output.control, prompt, found);
            regions.extend(sam::regions(
                output.control,
                output.object,
                label,
                &masked.mask,
                masked.score,
            )?);
        }
        Ok(regions)
    }

    fn image(&self, project: &Project, output: Pair<'_>, task: &Task) -> anyhow::Result<RgbImage> {
        let address = image_address(output.object, &task.data)?;
        let path = project.local_path(task, address)?;
        Ok(images::open(&path, &self.options.limits)?)
    }
}

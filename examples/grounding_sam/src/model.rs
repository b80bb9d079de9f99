//! The `Model` of the backend.

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Predictions, Project, Region, TaskPrediction, Value,
    anyhow::{self, Context},
    raw::RawError,
    sdk::Pair,
};
use label_studio_vision::{
    ShapeTags,
    batches::{ImagesOfTasks, SeenImage},
    models::{
        grounding_dino::{Detection, Finder, Prompt, PromptControls, label_for, rectangles},
        sam::{self, Predictor},
    },
};

/// Version that the original gives its predictions.
const VERSION: &str = "DINOBackend-v0.0.1";
/// Controls that can hold a mask, in the order of preference.
const MASKS: [&[&str]; 2] = [&["BrushLabels", "Brush"], &["PolygonLabels", "Polygon"]];

/// Detects the objects that the annotator has just typed. Without a prompt it predicts nothing.
pub struct GroundingSam {
    /// Detects objects in the images of tasks.
    pub finder: Finder,
    /// Segments the detected objects, if masks are switched on.
    pub segmenter: Option<Predictor>,
}

impl Model for GroundingSam {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        self.output(label_config)?;
        PromptControls::find(label_config)?;
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let context = request.context_regions();
        if context.is_empty() {
            return Ok(Predictions::default());
        }
        let config = project.label_config();
        let tags = ShapeTags::new(config, self.output(config)?);
        let controls = PromptControls::find(config)?;
        let typed = controls.typed(context).unwrap_or_default();
        let Some(prompt) = Prompt::new(typed, &tags.labels().labels) else {
            tracing::warn!("no prompt: nothing is detected");
            return Ok(Predictions::default());
        };
        let thresholds = controls.thresholds(context, self.finder.thresholds);
        let thresholds = thresholds.map_err(|error| RawError::new(400, format!("{error:#}")))?;
        let search = self.finder.detector.search(&prompt, thresholds)?;
        let images = ImagesOfTasks {
            object: tags.object,
            tasks: &request.tasks,
            local_path: &|task, url| Ok(project.local_path(task, url)?),
        };
        let found = self.finder.predict(search, images, |image, found| {
            self.regions(tags, &prompt, found, image)
        });
        Ok(found.into_iter().map(TaskPrediction::from).collect())
    }

    fn name(&self) -> &'static str {
        "DINOBackend"
    }
}

impl GroundingSam {
    /// Returns the control that takes what is found, and its image.
    fn output<'a>(&self, config: &'a LabelConfig) -> anyhow::Result<Pair<'a>> {
        if self.segmenter.is_none() {
            return Ok(config.first_pair(&["RectangleLabels", "Rectangle"], "Image")?);
        }
        let pair = MASKS
            .iter()
            .find_map(|tags| config.first_pair(*tags, "Image").ok());
        pair.context(
            "masks are switched on (USE_SAM, USE_MOBILE_SAM), but the label config has no <BrushLabels> or <PolygonLabels> \
             on an <Image>: add one, or switch them off to get rectangles",
        )
    }

    fn regions(
        &self,
        tags: ShapeTags<'_>,
        prompt: &Prompt,
        found: &[Detection],
        image: &SeenImage,
    ) -> anyhow::Result<Vec<Region>> {
        let size = image.size;
        let Some(segmenter) = self.segmenter.as_ref().filter(|_| !found.is_empty()) else {
            let mut regions = rectangles(tags, prompt, found, size);
            for region in &mut regions {
                region
                    .extra
                    .insert("readonly".to_owned(), Value::Bool(false));
            }
            return Ok(regions);
        };
        let embedding = segmenter.embed_file(&image.path)?;
        let mut regions = Vec::new();
        for found in found {
            let rectangle = sam::Prompt::rectangle(found.pixels(size));
            let masked = segmenter.segment(&embedding, &rectangle)?;
            let label = label_for(tags.labels(), prompt, found);
            regions.extend(sam::regions(tags, label, &masked)?);
        }
        Ok(regions)
    }
}

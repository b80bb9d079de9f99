//! The model: which control tags a project has, which images its tasks have, and what networks say about them.

use label_studio_ml::{
    Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction,
    anyhow::{self, bail},
};
use label_studio_vision::images::{DecodeBudget, Limits};

use crate::{
    Control, Networks,
    pictures::{Found, Pictures},
};

const MODEL_VERSION: &str = "yolo";

/// How to predict.
#[derive(Debug, Clone)]
pub struct Options {
    /// How sure regions must be where the label config does not say.
    pub score_threshold: f64,
    /// How many images to run at a time.
    pub batch_size: usize,
    /// How large images may be.
    pub limits: Limits,
    /// How many pixels may be decoded at a time, over all requests.
    pub max_decoded_pixels: u64,
}

/// Labels images with YOLO models.
pub struct Yolo {
    networks: Networks,
    options: Options,
    budget: DecodeBudget,
}

impl Yolo {
    /// Creates the model. Networks are loaded when a project first needs them.
    pub fn new(networks: Networks, options: Options) -> Self {
        Self {
            networks,
            budget: DecodeBudget::new(options.max_decoded_pixels),
            options,
        }
    }

    /// Returns what bounds the images that are decoded at a time.
    pub fn decode_budget(&self) -> &DecodeBudget {
        &self.budget
    }

    fn controls<'a>(&self, project: &'a Project) -> anyhow::Result<Vec<Control<'a>>> {
        let label_config = project.label_config();
        let mut controls = Vec::new();
        for (tag, object, kind) in Control::candidates(label_config) {
            let network = self.networks.of(tag, kind)?;
            let threshold = self.options.score_threshold;
            let control = Control::new(label_config, (tag, object, kind), network, threshold)?;
            controls.extend(control);
        }
        if controls.is_empty() {
            bail!(
                "No suitable control tags: the label config needs Choices, Taxonomy, RectangleLabels, PolygonLabels, \
                 BrushLabels or KeyPointLabels on an Image, without model_skip, and with labels that name classes of \
                 their model (attribute predicted_values)"
            );
        }
        Ok(controls)
    }
}

impl Model for Yolo {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        project.set_model_version(MODEL_VERSION)?;
        if Control::candidates(project.label_config()).next().is_none() {
            tracing::warn!(project = %project.id(), "the label config has no control tag that YOLO models serve");
        }
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let controls = self.controls(project)?;
        let found = request.tasks.iter();
        let mut found: Vec<Found> = found.map(|_| Found::of(&controls)).collect();
        for pictures in Pictures::by_object(&controls) {
            pictures.find(
                project,
                (&self.budget, &self.options),
                &request.tasks,
                &mut found,
            );
        }
        let predictions = found.into_iter().map(|found| {
            let regions = found.into_regions();
            TaskPrediction::from(regions.map(|regions| {
                Prediction::new(regions)
                    .with_mean_score()
                    .with_model_version(MODEL_VERSION)
            }))
        });
        Ok(predictions.collect())
    }

    fn name(&self) -> &'static str {
        "YOLO"
    }
}

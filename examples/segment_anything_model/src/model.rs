//! The `Model` of the backend.

use std::sync::Arc;

use label_studio_inference::onnx::Runtime;
use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Predictions, Project, Task, TaskPrediction, anyhow,
};
use label_studio_vision::{
    images::ImageReader,
    models::sam::{Checkpoints, Sam, SamArgs, SmartTools},
};

/// Version that the original gives its predictions.
const VERSION: &str = "SamMLBackend-v0.0.1";

/// Answers clicks and rectangles with masks. Without them it makes no predictions.
pub struct SegmentAnythingModel {
    /// Finds the masks.
    pub tools: SmartTools,
}

impl SegmentAnythingModel {
    /// Loads the checkpoints.
    pub fn load(
        runtime: &Runtime,
        checkpoints: &Checkpoints,
        args: &SamArgs,
        reader: Arc<ImageReader>,
    ) -> anyhow::Result<Self> {
        let Checkpoints { encoder, decoder } = checkpoints;
        let sam = Sam::load(runtime, encoder, decoder, args.mask_choice)?;
        Ok(Self {
            tools: SmartTools {
                predictor: args.predictor(sam, reader),
            },
        })
    }
}

impl Model for SegmentAnythingModel {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        SmartTools::check(project.label_config());
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        SmartTools::output(label_config).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let local_path = |task: &Task, url: &str| Ok(project.local_path(task, url)?);
        let (config, context) = (project.label_config(), request.context_regions());
        let found = self
            .tools
            .predict_all(config, &request.tasks, context, local_path)?;
        Ok(found.into_iter().map(TaskPrediction::from).collect())
    }

    fn name(&self) -> &'static str {
        "SamMLBackend"
    }
}

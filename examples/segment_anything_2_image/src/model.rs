//! The `Model` of the backend.

use std::sync::Arc;

use label_studio_inference::onnx::Runtime;
use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Predictions, Project, Task, TaskPrediction, anyhow,
};
use label_studio_vision::{
    images::ImageReader,
    models::sam::{Checkpoints, Sam2, SamArgs, SmartTools},
};

/// Answers clicks and rectangles with masks. Without them it makes no predictions.
pub struct SegmentAnything2 {
    /// Finds the masks.
    pub tools: SmartTools,
    /// Name shown by the health check.
    pub name: String,
}

impl SegmentAnything2 {
    /// Loads the checkpoints.
    pub fn load(
        runtime: &Runtime,
        checkpoints: &Checkpoints,
        args: &SamArgs,
        reader: Arc<ImageReader>,
    ) -> anyhow::Result<Self> {
        let Checkpoints { encoder, decoder } = checkpoints;
        let sam = Sam2::load(runtime, encoder, decoder, args.mask_choice)?;
        Ok(Self {
            tools: SmartTools {
                predictor: args.predictor(sam, reader),
            },
            name: "SegmentAnything2".to_owned(),
        })
    }

    /// Sets the name shown by the health check.
    #[must_use]
    pub fn with_name(mut self, name: String) -> Self {
        self.name = name;
        self
    }
}

impl Model for SegmentAnything2 {
    fn name(&self) -> &str {
        &self.name
    }

    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        SmartTools::check(project.label_config());
        Ok(())
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
}

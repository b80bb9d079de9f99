//! The `Model` of the backend.

use label_studio_audio::reading::task_audio;
use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction, anyhow,
};

use crate::{
    Transcriber,
    tags::{RegionOptions, Tags},
};

/// Version that the original gives its predictions.
const VERSION: &str = "NemoASR-v0.0.1";

/// Transcribes audio.
pub struct NemoAsr {
    pub(crate) transcriber: Transcriber,
    pub(crate) regions: RegionOptions,
}

impl Model for NemoAsr {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        Tags::find(label_config, self.regions).map(drop)
    }

    fn manifest(&self) -> Option<&str> {
        Some(label_studio_ml::manifest!())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let tags = Tags::find(project.label_config(), self.regions)?;
        let files = request.tasks.iter().map(|task| {
            let url = task_audio(tags.object, task)?;
            Ok(project.local_path(task, url)?)
        });
        let said = self.transcriber.transcribe(files).into_iter();
        let predictions = said.map(|said| {
            TaskPrediction::from(said.map(|said| {
                Prediction::new(tags.regions(&said))
                    .with_score(said.score())
                    .with_model_version(VERSION)
            }))
        });
        Ok(predictions.collect())
    }

    fn name(&self) -> &'static str {
        "NemoASR"
    }
}

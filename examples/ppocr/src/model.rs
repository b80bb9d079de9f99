//! The `Model` of the backend.

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction, anyhow,
};
use label_studio_vision::{
    batches::{ImageBatches, ImagesOfTasks},
    images::with_item_index,
};

use crate::{Output, OutputType, PageReader};

/// Finds and reads text in images.
pub struct PpOcr {
    /// Reads pages.
    pub reader: PageReader,
    /// Reads the images of tasks.
    pub batches: ImageBatches,
    /// The preferred shape of regions.
    pub output_type: OutputType,
    /// Whether texts become regions, too.
    pub includes_text: bool,
    /// The version that predictions carry.
    pub model_version: String,
}

impl PpOcr {
    fn output<'a>(&self, label_config: &'a LabelConfig) -> anyhow::Result<Output<'a>> {
        Output::find(label_config, self.output_type, self.includes_text)
    }
}

impl Model for PpOcr {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_model_version(&self.model_version)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        self.output(label_config).map(drop)
    }

    fn manifest(&self) -> Option<&str> {
        Some(label_studio_ml::manifest!())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let output = self.output(project.label_config())?;
        let images = ImagesOfTasks {
            object: output.object,
            tasks: &request.tasks,
            local_path: &|task, url| Ok(project.local_path(task, url)?),
        };
        let found = self
            .batches
            .predict(&[&self.reader], images, |image, pages| {
                let lines = pages.iter().flatten();
                let regions = lines.flat_map(|line| output.regions(line, image.size));
                Ok(with_item_index(regions.collect(), image.item_idx))
            });
        let predictions = found.into_iter().map(|regions| {
            TaskPrediction::from(regions.map(|regions| {
                Prediction::new(regions.concat())
                    .with_mean_score()
                    .with_model_version(&self.model_version)
            }))
        });
        Ok(predictions.collect())
    }

    fn name(&self) -> &'static str {
        "PPOCR"
    }
}

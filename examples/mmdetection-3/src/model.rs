//! The model: boxes for every `RectangleLabels`, or `Rectangle` with `Labels`, on an `Image`.

use std::{collections::BTreeMap, sync::Arc};

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, Task, TaskPrediction,
    anyhow::{self, Context, bail},
};
use label_studio_services::aws::PresignedUrls;
use label_studio_vision::batches::{ImageBatches, joined};

use crate::{
    Detectors,
    images::TargetsOfObject,
    target::{Candidate, Target},
};

const MODEL_VERSION: &str = "MMDetection-v0.0.1";
const NO_CONTROLS: &str = "the label config needs a RectangleLabels on an Image, such as <Image name=\"image\" value=\"$image\"/>\
    <RectangleLabels name=\"label\" toName=\"image\"><Label value=\"Car\"/></RectangleLabels>";

/// Draws boxes with detectors.
pub struct MmDetection {
    /// The detector of each control tag.
    pub detectors: Detectors,
    /// Presigns the URLs of images in S3.
    pub addresses: PresignedUrls,
    /// Reads the images of tasks.
    pub batches: ImageBatches,
    /// Default minimum score of a box; the label config overrides it.
    pub score_threshold: f64,
    /// Labels by class, for labels that the label config does not map itself.
    pub labels: BTreeMap<String, String>,
}

impl MmDetection {
    /// Returns the control tags by object and detector.
    fn targets<'a>(&self, project: &'a Project) -> anyhow::Result<Vec<TargetsOfObject<'a>>> {
        let candidates = Candidate::all(project.label_config());
        let mut all: Vec<TargetsOfObject<'a>> = Vec::new();
        for (idx, candidate) in candidates.iter().enumerate() {
            let object = candidate.object;
            let detector = self
                .detectors
                .of(candidate.tags.attr("model_path"))
                .with_context(|| {
                    format!("model of control tag {:?}", candidate.tags.labels().name)
                })?;
            let target = Target::new(
                candidate,
                &detector.settings().classes,
                &self.labels,
                self.score_threshold,
            )?;
            let known = all.iter_mut().find(|known| {
                Arc::ptr_eq(&known.detector, &detector)
                    && known.object.value_name == object.value_name
                    && known.object.is_image_list == object.is_image_list
            });
            match known {
                Some(known) => known.targets.push((idx, target)),
                None => all.push(TargetsOfObject {
                    object,
                    detector,
                    targets: vec![(idx, target)],
                }),
            }
        }
        if all.is_empty() {
            bail!("{NO_CONTROLS}");
        }
        Ok(all)
    }
}

impl Model for MmDetection {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        project.set_model_version(MODEL_VERSION)?;
        // A new project is connected before it has labels.
        if project.label_config().controls().is_empty() {
            tracing::warn!(project = %project.id(), "the label config has no control tags yet");
            return Ok(());
        }
        self.targets(project).map(drop)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        if Candidate::all(label_config).is_empty() {
            bail!("{NO_CONTROLS}");
        }
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let local_path = |task: &Task, url: &str| {
            let url = self.addresses.of(url)?;
            Ok(project.local_path(task, &url)?)
        };
        let targets = self.targets(project)?;
        let found = targets
            .iter()
            .map(|targets| targets.predict(&request.tasks, &self.batches, &local_path));
        let predictions = joined(request.tasks.len(), found).into_iter();
        let predictions = predictions.map(|regions| {
            TaskPrediction::from(regions.map(|regions| {
                Prediction::new(regions.concat())
                    .with_mean_score()
                    .with_model_version(MODEL_VERSION)
            }))
        });
        Ok(predictions.collect())
    }

    fn name(&self) -> &'static str {
        "MMDetection"
    }
}

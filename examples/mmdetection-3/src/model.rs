//! The model: boxes for every `RectangleLabels`, or `Rectangle` with `Labels`, on an `Image`.

use std::{collections::BTreeMap, sync::Arc};

use label_studio_ml::{
    Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction,
    anyhow::{self, Context, bail},
};
use label_studio_services::aws::PresignedUrls;
use label_studio_vision::images::{DecodeBudget, Limits};

use crate::{
    Detectors,
    pictures::{Found, Means, Pictures},
    target::{Candidate, Target},
};

const MODEL_VERSION: &str = "MMDetection-v0.0.1";

/// How to predict.
#[derive(Debug, Clone)]
pub struct Options {
    /// How sure boxes must be where the label config does not say.
    pub score_threshold: f64,
    /// How many images to run at a time.
    pub batch_size: usize,
    /// How large images may be.
    pub limits: Limits,
    /// How many pixels may be decoded at a time, over all requests.
    pub max_decoded_pixels: u64,
    /// Labels by class, for labels that the label config does not map itself.
    pub labels: BTreeMap<String, String>,
}

/// Draws boxes with detectors.
pub struct MmDetection {
    detectors: Detectors,
    addresses: PresignedUrls,
    options: Options,
    budget: DecodeBudget,
}

impl MmDetection {
    /// Creates the model.
    pub fn new(detectors: Detectors, addresses: PresignedUrls, options: Options) -> Self {
        Self {
            detectors,
            addresses,
            budget: DecodeBudget::new(options.max_decoded_pixels),
            options,
        }
    }

    /// Returns what bounds the images that are decoded at a time.
    pub fn decode_budget(&self) -> &DecodeBudget {
        &self.budget
    }

    /// Returns the control tags by object and detector, and how many there are.
    fn pictures<'a>(&self, project: &'a Project) -> anyhow::Result<(Vec<Pictures<'a>>, usize)> {
        let candidates = Candidate::all(project.label_config());
        let mut all: Vec<Pictures<'a>> = Vec::new();
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
                &self.options.labels,
                self.options.score_threshold,
            )?;
            let known = all.iter_mut().find(|known| {
                Arc::ptr_eq(&known.detector, &detector)
                    && known.object.value_name == object.value_name
                    && known.object.is_image_list == object.is_image_list
            });
            match known {
                Some(known) => known.targets.push((idx, target)),
                None => all.push(Pictures {
                    object,
                    detector,
                    targets: vec![(idx, target)],
                }),
            }
        }
        if all.is_empty() {
            bail!(
                "the label config needs a RectangleLabels on an Image, such as <Image name=\"image\" value=\"$image\"/>\
                 <RectangleLabels name=\"label\" toName=\"image\"><Label value=\"Car\"/></RectangleLabels>"
            );
        }
        Ok((all, candidates.len()))
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
        self.pictures(project).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let (pictures, n_targets) = self.pictures(project)?;
        let found = request.tasks.iter().map(|_| Found::of(n_targets));
        let mut found: Vec<Found> = found.collect();
        let means = Means {
            project,
            budget: &self.budget,
            options: &self.options,
            addresses: &self.addresses,
        };
        for pictures in pictures {
            pictures.find(&means, &request.tasks, &mut found);
        }
        let predictions = found.into_iter().map(|found| {
            TaskPrediction::from(found.into_regions().map(|regions| {
                Prediction::new(regions)
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

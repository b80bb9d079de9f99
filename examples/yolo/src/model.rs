//! The model: which control tags a project has, which images its tasks have, and what networks say about them.

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction,
    anyhow::{self, bail},
};
use label_studio_vision::{
    batches::{ImageBatches, joined},
    video::VideoReader,
};

use crate::{
    Candidate, Control, Networks, TrackerFiles,
    control::first_names,
    images::ControlsOfObject,
    video::{ControlsOfVideo, Videos},
};

const MODEL_VERSION: &str = "yolo";
const NO_CONTROLS: &str = "No suitable control tags: the label config needs Choices, Taxonomy, RectangleLabels, PolygonLabels, \
    BrushLabels or KeyPointLabels on an Image, or VideoRectangle or TimelineLabels on a Video, without model_skip, and with labels that name classes of their model \
    (attribute predicted_values)";

/// Labels images and videos with YOLO models.
pub struct Yolo {
    /// The networks. Each is loaded when a project first needs it.
    pub networks: Networks,
    /// Reads the images of tasks.
    pub batches: ImageBatches,
    /// Reads the videos of tasks.
    pub videos: VideoReader,
    /// The parameters of trackers.
    pub trackers: TrackerFiles,
    /// Default minimum score of a region; the label config overrides it.
    pub score_threshold: f64,
}

impl Yolo {
    fn controls<'a>(&self, project: &'a Project) -> anyhow::Result<Vec<Control<'a>>> {
        let label_config = project.label_config();
        let (mut controls, mut classes) = (Vec::new(), None);
        for candidate in Candidate::all(label_config) {
            let network = self.networks.of(candidate.tag, candidate.kind)?;
            let names = || first_names(&network.metadata().names);
            match Control::new(label_config, candidate, &network, self.score_threshold)? {
                Some(control) => controls.push(control),
                None => classes = classes.or_else(|| Some(names())),
            }
        }
        if controls.is_empty() {
            let classes = classes.map(|classes| format!("; the classes are {classes}"));
            bail!("{NO_CONTROLS}{}", classes.unwrap_or_default());
        }
        Ok(controls)
    }
}

impl Model for Yolo {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_model_version(MODEL_VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        match Candidate::all(label_config).next() {
            Some(_) => Ok(()),
            None => bail!("{NO_CONTROLS}"),
        }
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let controls = self.controls(project)?;
        let groups = ControlsOfObject::groups(&controls);
        let in_images = groups
            .iter()
            .map(|group| group.predict(project, &request.tasks, &self.batches));
        let videos = Videos {
            reader: &self.videos,
            trackers: &self.trackers,
            batch_size: self.batches.batch_size,
        };
        let groups = ControlsOfVideo::groups(&controls);
        let in_videos = groups
            .iter()
            .map(|group| group.predict(project, &request.tasks, &videos));
        let found = in_images.chain(in_videos);
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
        "YOLO"
    }
}

//! The model: which control tags a project has, which images its tasks have, and what networks say about them.

use std::{collections::HashMap, sync::Arc};

use label_studio_inference::images::{self, Limits, RgbImage};
use label_studio_ml::{
    Model, Object, PredictRequest, Prediction, Predictions, Project, Region, Task, TaskPrediction,
    Value,
    anyhow::{self, Context, anyhow, bail},
};

use crate::{Answer, Control, Network, Networks, regions};

const MODEL_VERSION: &str = "yolo";
/// Field that Label Studio stores a file under when the import names none.
const UNDEFINED_FIELD: &str = "$undefined$";
/// What Ultralytics asks of a box; lower thresholds of control tags lower it.
const USUAL_CONFIDENCE: f64 = 0.25;

/// How to predict.
#[derive(Debug, Clone)]
pub struct Options {
    /// How sure regions must be where the label config does not say.
    pub score_threshold: f64,
    /// How many images to decode and to run at a time.
    pub batch_size: usize,
    /// How large images may be.
    pub limits: Limits,
}

/// Labels images with YOLO models.
pub struct Yolo {
    networks: Networks,
    options: Options,
}

/// The images of one task by the name of their field, or why the task has none.
type Images<'a> = anyhow::Result<HashMap<&'a str, RgbImage>>;

impl Yolo {
    /// Creates the model. Networks are loaded when a project first needs them.
    pub fn new(networks: Networks, options: Options) -> Self {
        Self { networks, options }
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

    fn predict_tasks(
        &self,
        project: &Project,
        controls: &[Control<'_>],
        tasks: &[Task],
    ) -> Vec<TaskPrediction> {
        let images: Vec<Images<'_>> = tasks
            .iter()
            .map(|task| self.images(project, controls, task))
            .collect();
        let mut regions: Vec<anyhow::Result<Vec<Region>>> = Vec::new();
        let mut answers = Answers::default();
        for images in &images {
            regions.push(match images {
                Ok(_) => Ok(Vec::new()),
                Err(error) => Err(anyhow!("{error:#}")),
            });
        }
        for control in controls {
            let found = answers.of(control, controls, &images);
            for (regions, found) in regions.iter_mut().zip(found) {
                let (Ok(regions_so_far), Some(found)) = (&mut *regions, found) else {
                    continue;
                };
                let made = found
                    .as_ref()
                    .map_err(|error| anyhow!("{error:#}"))
                    .and_then(|answer| regions::regions(control, answer));
                match made {
                    Ok(made) => regions_so_far.extend(made),
                    Err(error) => *regions = Err(error),
                }
            }
        }
        regions
            .into_iter()
            .map(|regions| {
                let prediction = regions.map(|regions| {
                    Prediction::new(regions)
                        .with_mean_score()
                        .with_model_version(MODEL_VERSION)
                });
                TaskPrediction::from(prediction)
            })
            .collect()
    }

    /// Fetches and decodes each image of a task that a control tag labels, once.
    fn images<'a>(&self, project: &Project, controls: &[Control<'a>], task: &Task) -> Images<'a> {
        let mut images = HashMap::new();
        for control in controls {
            let name = control.object.value_name.as_str();
            if !images.contains_key(name) {
                let url = address(control.object, task)?;
                let path = project.local_path(task, url)?;
                images.insert(name, images::open(&path, &self.options.limits)?);
            }
        }
        Ok(images)
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
        let chunks = request.tasks.chunks(self.options.batch_size.max(1));
        Ok(chunks
            .flat_map(|tasks| self.predict_tasks(project, &controls, tasks))
            .collect())
    }

    fn name(&self) -> &'static str {
        "YOLO"
    }
}

/// What a network said about a task's image; nothing for a task without images.
type MaybeAnswer = Option<anyhow::Result<Answer>>;

/// What networks said about the images of some tasks, so that control tags that share network and image share a run.
#[derive(Default)]
struct Answers<'a> {
    asked: Vec<(Arc<Network>, &'a str, Vec<MaybeAnswer>)>,
}

impl<'a> Answers<'a> {
    /// Returns one answer per task.
    fn of(
        &mut self,
        control: &Control<'a>,
        controls: &[Control<'a>],
        images: &[Images<'a>],
    ) -> &[MaybeAnswer] {
        let field = control.object.value_name.as_str();
        let is_same = |network: &Arc<Network>, name: &str| {
            Arc::ptr_eq(network, &control.network) && name == field
        };
        let known = self
            .asked
            .iter()
            .position(|(network, name, _)| is_same(network, name));
        let position = known.unwrap_or_else(|| {
            let sharing = controls
                .iter()
                .filter(|other| is_same(&other.network, &other.object.value_name));
            // Surer boxes come out the same whatever less sure ones there are, so the least threshold serves all.
            let confidence = sharing
                .map(Control::lowest_threshold)
                .fold(USUAL_CONFIDENCE, f64::min);
            let pixels: Vec<_> = images
                .iter()
                .filter_map(|images| images.as_ref().ok()?.get(field))
                .collect();
            let mut found = control.network.answer(&pixels, confidence).into_iter();
            let found = images
                .iter()
                .map(|images| images.as_ref().ok()?.get(field).and_then(|_| found.next()))
                .collect();
            self.asked
                .push((Arc::clone(&control.network), field, found));
            self.asked.len() - 1
        });
        &self.asked[position].2
    }
}

/// Returns the address of the image that an object tag shows of a task.
fn address<'a>(object: &Object, task: &'a Task) -> anyhow::Result<&'a str> {
    let name = object.value_name.as_str();
    let filled = |name: &str| {
        let value = task.data.get(name)?;
        (!value.is_null() && value.as_str() != Some("")).then_some(value)
    };
    let value = filled(name).or_else(|| filled(UNDEFINED_FIELD));
    let value = value.with_context(|| {
        let known: Vec<_> = task.data.keys().map(String::as_str).collect();
        format!(
            "Can't load path using key '{name}' from task{}: its data has {}",
            task.id.map(|id| format!(" {id}")).unwrap_or_default(),
            if known.is_empty() {
                "no fields".to_owned()
            } else {
                format!("only {}", known.join(", "))
            }
        )
    })?;
    match value {
        Value::String(url) => Ok(url),
        other => {
            let kind = match other {
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
                Value::Bool(_) => "a truth value",
                _ => "a number",
            };
            bail!("Path should be a string, but got {kind} in the data field '{name}'")
        }
    }
}

//! The model: boxes for every `RectangleLabels` on an `Image`.

use std::collections::{BTreeMap, HashMap};

use label_studio_inference::images::{self, Limits, PercentBox, RgbImage};
use label_studio_ml::{
    Control, Model, Object, PredictRequest, Prediction, Predictions, Project, Region, Task,
    TaskPrediction,
    anyhow::{self, Context, anyhow, bail},
    json,
};

use crate::{Detection, Detector, label_map};

const MODEL_VERSION: &str = "MMDetection-v0.0.1";
/// Field that Label Studio stores a file under when the import names none.
const UNDEFINED_FIELD: &str = "$undefined$";

/// How to predict.
#[derive(Debug, Clone)]
pub struct Options {
    /// How sure boxes must be where the label config does not say.
    pub score_threshold: f64,
    /// How many images to decode and to run at a time.
    pub batch_size: usize,
    /// How large images may be.
    pub limits: Limits,
    /// Labels by class, for labels that the label config does not map itself.
    pub labels: BTreeMap<String, String>,
}

/// Draws boxes with a detector.
pub struct MmDetection {
    detector: Detector,
    options: Options,
}

/// A control tag with what making its regions needs.
struct Target<'a> {
    control: &'a Control,
    object: &'a Object,
    labels: BTreeMap<String, String>,
    threshold: f64,
    label_thresholds: HashMap<&'a str, f64>,
}

/// What the detector saw in one image.
struct Seen {
    boxes: Vec<Detection>,
    /// Width and height of the image.
    size: (u32, u32),
}

impl MmDetection {
    /// Creates the model.
    pub fn new(detector: Detector, options: Options) -> Self {
        Self { detector, options }
    }

    fn targets<'a>(&self, project: &'a Project) -> anyhow::Result<Vec<Target<'a>>> {
        let label_config = project.label_config();
        let mut targets = Vec::new();
        for control in label_config.controls_of("RectangleLabels") {
            let object = label_config.objects_of(control).next();
            let Some(object) = object.filter(|object| object.tag.eq_ignore_ascii_case("Image"))
            else {
                continue;
            };
            let labels = label_map(
                control,
                &self.detector.settings().classes,
                &self.options.labels,
            );
            if labels.is_empty() {
                tracing::warn!(
                    control = control.name,
                    "no label of the control tag is a class of the model"
                );
            }
            let threshold = control
                .attr("model_score_threshold")
                .or(control.attr("score_threshold"));
            let mut label_thresholds = HashMap::new();
            for (label, tag) in &control.labels_attrs {
                if let Some(text) = tag.attrs.get_filled("model_score_threshold") {
                    label_thresholds.insert(label.as_str(), number(text, control)?);
                }
            }
            targets.push(Target {
                control,
                object,
                labels,
                threshold: match threshold {
                    Some(text) => number(text, control)?,
                    None => self.options.score_threshold,
                },
                label_thresholds,
            });
        }
        if targets.is_empty() {
            bail!(
                "the label config needs a RectangleLabels on an Image, such as <Image name=\"image\" value=\"$image\"/>\
                 <RectangleLabels name=\"label\" toName=\"image\"><Label value=\"Car\"/></RectangleLabels>"
            );
        }
        Ok(targets)
    }

    fn predict_tasks(
        &self,
        project: &Project,
        targets: &[Target<'_>],
        tasks: &[Task],
    ) -> Vec<TaskPrediction> {
        let mut regions: Vec<anyhow::Result<Vec<Region>>> =
            tasks.iter().map(|_| Ok(Vec::new())).collect();
        // Control tags on one image share its run.
        let mut seen: Vec<(&str, Vec<Option<Seen>>)> = Vec::new();
        for target in targets {
            let field = target.object.value_name.as_str();
            let known = seen.iter().position(|(name, _)| *name == field);
            let idx = known.unwrap_or_else(|| {
                let lowest = targets
                    .iter()
                    .filter(|other| other.object.value_name == field)
                    .map(Target::lowest_threshold)
                    .fold(f64::INFINITY, f64::min);
                seen.push((
                    field,
                    self.detect(project, field, tasks, lowest, &mut regions),
                ));
                seen.len() - 1
            });
            for (regions, seen) in regions.iter_mut().zip(&seen[idx].1) {
                if let (Ok(regions), Some(seen)) = (regions, seen) {
                    regions.extend(target.regions(&self.detector.settings().classes, seen));
                }
            }
        }
        regions
            .into_iter()
            .map(|regions| {
                TaskPrediction::from(regions.map(|regions| {
                    Prediction::new(regions)
                        .with_mean_score()
                        .with_model_version(MODEL_VERSION)
                }))
            })
            .collect()
    }

    /// Detects in the images of a field; tasks that fail get the reason in the place of their regions.
    fn detect(
        &self,
        project: &Project,
        field: &str,
        tasks: &[Task],
        min_score: f64,
        regions: &mut [anyhow::Result<Vec<Region>>],
    ) -> Vec<Option<Seen>> {
        let mut pixels: Vec<Option<RgbImage>> = Vec::new();
        for (task, regions) in tasks.iter().zip(regions.iter_mut()) {
            let opened = match regions {
                Ok(_) => self.open(project, field, task),
                Err(_) => Err(anyhow!("the task failed before")),
            };
            match opened {
                Ok(image) => pixels.push(Some(image)),
                Err(error) => {
                    pixels.push(None);
                    if regions.is_ok() {
                        *regions = Err(error);
                    }
                }
            }
        }
        let readable: Vec<_> = pixels.iter().flatten().collect();
        let mut detected = self.detector.detect(&readable, min_score).into_iter();
        let mut seen = Vec::new();
        for (image, regions) in pixels.iter().zip(regions) {
            let boxes = image
                .as_ref()
                .and_then(|image| Some((image.dimensions(), detected.next()?)));
            seen.push(match boxes {
                Some((size, Ok(boxes))) => Some(Seen { boxes, size }),
                Some((_, Err(error))) => {
                    *regions = Err(error);
                    None
                }
                None => None,
            });
        }
        seen
    }

    fn open(&self, project: &Project, field: &str, task: &Task) -> anyhow::Result<RgbImage> {
        let filled = |name: &str| task.data.get(name).filter(|value| !value.is_null());
        let value = filled(field)
            .or_else(|| filled(UNDEFINED_FIELD))
            .with_context(|| format!("the task has no image in its data field {field:?}"))?;
        let url = value.as_str().with_context(|| {
            format!("data field {field:?} of the task is not the address of an image")
        })?;
        let path = project.local_path(task, url)?;
        Ok(images::open(&path, &self.options.limits)?)
    }
}

impl Target<'_> {
    fn lowest_threshold(&self) -> f64 {
        self.label_thresholds
            .values()
            .copied()
            .fold(self.threshold, f64::min)
    }

    fn regions<'a>(
        &'a self,
        classes: &'a [String],
        seen: &'a Seen,
    ) -> impl Iterator<Item = Region> + 'a {
        seen.boxes.iter().filter_map(move |detection| {
            let label = self.labels.get(&classes[detection.class])?;
            let threshold = self.label_thresholds.get(&**label).unwrap_or(&self.threshold);
            if detection.score < *threshold {
                return None;
            }
            let PercentBox { x, y, width, height } = PercentBox::from_pixels(detection.bounds, seen.size);
            let value = json!({ "rectanglelabels": [label], "x": x, "y": y, "width": width, "height": height });
            let region = Region::new(&self.control.name, &self.object.name, "rectanglelabels", value);
            Some(region.with_score(detection.score))
        })
    }
}

impl Model for MmDetection {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        project.set_model_version(MODEL_VERSION)?;
        self.targets(project).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let targets = self.targets(project)?;
        let chunks = request.tasks.chunks(self.options.batch_size.max(1));
        Ok(chunks
            .flat_map(|tasks| self.predict_tasks(project, &targets, tasks))
            .collect())
    }

    fn name(&self) -> &'static str {
        "MMDetection"
    }
}

fn number(text: &str, control: &Control) -> anyhow::Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => bail!(
            "attribute model_score_threshold={text:?} in <RectangleLabels name={:?}> is not a number from 0",
            control.name
        ),
    }
}

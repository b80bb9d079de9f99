//! Which control tags of a label config a network can serve, and what their attributes ask for.

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use label_studio_ml::{
    self as ml, LabelConfig, Object,
    anyhow::{self, Context, bail},
};

use crate::{
    Network, NetworkTask,
    attributes::{number, parse_number, switch},
    taxonomy,
};

/// Kinds of control tags, by what they ask of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `Choices`.
    Choices,
    /// `Taxonomy`.
    Taxonomy,
    /// `RectangleLabels`.
    Rectangle,
    /// `RectangleLabels` with `model_obb="true"`.
    RotatedRectangle,
    /// `PolygonLabels`.
    Polygon,
    /// `BrushLabels`.
    Brush,
    /// `KeyPointLabels`.
    KeyPoint,
    /// `VideoRectangle`.
    VideoRectangle,
    /// `TimelineLabels`.
    Timeline,
}

impl Kind {
    /// Returns what a control tag asks for, if it is of a kind that a network can serve.
    pub fn of(control: &ml::Control) -> Option<Self> {
        Some(match control.tag.to_ascii_lowercase().as_str() {
            "choices" => Self::Choices,
            "taxonomy" => Self::Taxonomy,
            "rectanglelabels" if switch(control, "model_obb", false) => Self::RotatedRectangle,
            "rectanglelabels" => Self::Rectangle,
            "polygonlabels" => Self::Polygon,
            "brushlabels" => Self::Brush,
            "keypointlabels" => Self::KeyPoint,
            "videorectangle" => Self::VideoRectangle,
            "timelinelabels" => Self::Timeline,
            _ => return None,
        })
    }

    /// Returns what the network of such a control must be for.
    pub const fn task(self) -> NetworkTask {
        match self {
            Self::Choices | Self::Taxonomy | Self::Timeline => NetworkTask::Classify,
            Self::Rectangle | Self::VideoRectangle => NetworkTask::Detect,
            Self::RotatedRectangle => NetworkTask::Obb,
            Self::Polygon | Self::Brush => NetworkTask::Segment,
            Self::KeyPoint => NetworkTask::Pose,
        }
    }

    /// Returns the file that serves such a control when nothing else is said.
    pub const fn default_file(self) -> &'static str {
        match self {
            Self::Choices | Self::Taxonomy | Self::Timeline => "yolov8n-cls.onnx",
            Self::VideoRectangle => "yolov8n.onnx",
            Self::Rectangle => "yolov8m.onnx",
            Self::RotatedRectangle => "yolov8n-obb.onnx",
            Self::Polygon | Self::Brush => "yolov8n-seg.onnx",
            Self::KeyPoint => "yolov8n-pose.onnx",
        }
    }

    /// Boxes are part of what networks for masks and key points find.
    fn accepts(self, task: NetworkTask) -> bool {
        task == self.task()
            || matches!(self, Self::Rectangle | Self::VideoRectangle)
                && matches!(task, NetworkTask::Segment | NetworkTask::Pose)
    }

    /// Returns whether it labels videos, not images.
    pub const fn is_of_video(self) -> bool {
        matches!(self, Self::VideoRectangle | Self::Timeline)
    }
}

/// A control tag with everything that making its regions needs.
pub struct Control<'a> {
    /// The tag.
    pub tag: &'a ml::Control,
    /// The image or video that it labels.
    pub object: &'a Object,
    /// What it asks for.
    pub kind: Kind,
    /// Its network.
    pub network: Arc<Network>,
    /// Labels by the names of the network's classes.
    pub label_map: IndexMap<String, String>,
    /// Minimum score of regions.
    pub threshold: f64,
    /// Thresholds of labels that set one.
    pub label_thresholds: HashMap<String, f64>,
    /// For key points: adds the box around them.
    pub adds_boxes: bool,
    /// For key points: their width in pixels.
    pub point_size: f64,
    /// For key points: minimum score of points.
    pub point_threshold: f64,
    /// For key points: labels by class and number of the point.
    pub points: HashMap<(String, usize), String>,
    /// For key points: labels of the boxes around them by class, from the control tag for these boxes.
    pub box_labels: IndexMap<String, String>,
    /// For key points: what the ids of their boxes start with, so that two control tags do not share ids.
    pub group_prefix: String,
    /// For a taxonomy: the path to each of its items.
    pub paths: HashMap<String, Vec<String>>,
}

/// A control tag on an image or a video, without its network.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The tag.
    pub tag: &'a ml::Control,
    /// The image or video that it labels.
    pub object: &'a Object,
    /// What it asks for.
    pub kind: Kind,
}

impl<'a> Candidate<'a> {
    /// Returns the control tags that the model serves, in the order of the document.
    ///
    /// Skipped are tags with `model_skip="true"`, and tags whose first object is of another kind.
    pub fn all(label_config: &'a LabelConfig) -> impl Iterator<Item = Self> {
        label_config.controls().iter().filter_map(|control| {
            let Some(object) = label_config.objects_of(control).next() else {
                tracing::warn!(
                    control = control.name,
                    "control tag labels no object, skipped"
                );
                return None;
            };
            let kind = Kind::of(control)?;
            let wanted = if kind.is_of_video() { "Video" } else { "Image" };
            if !object.tag.eq_ignore_ascii_case(wanted) {
                return None;
            }
            if switch(control, "model_skip", false) {
                tracing::debug!(control = control.name, "model_skip is set, skipped");
                return None;
            }
            Some(Self {
                tag: control,
                object,
                kind,
            })
        })
    }
}

impl<'a> Control<'a> {
    /// Prepares a control tag. Nothing comes of one whose labels match no class of its network.
    pub fn new(
        label_config: &LabelConfig,
        Candidate { tag, object, kind }: Candidate<'a>,
        network: &Arc<Network>,
        default_threshold: f64,
    ) -> anyhow::Result<Option<Self>> {
        let metadata = network.metadata().clone();
        if !kind.accepts(metadata.task) {
            bail!(
                "model file {} is a model for the task {}, but <{} name={:?}> needs one for {}{}",
                network.file(),
                metadata.task,
                tag.tag,
                tag.name,
                kind.task(),
                match (kind, metadata.task) {
                    (Kind::Rectangle, NetworkTask::Obb) => ", or the attribute model_obb=\"true\"",
                    (Kind::RotatedRectangle, _) => ", or no attribute model_obb=\"true\"",
                    _ => "",
                },
            );
        }
        let names: Vec<_> = metadata.names.iter().map(String::as_str).collect();
        let labels = match kind {
            Kind::VideoRectangle => labels_of_video(label_config, tag)?,
            _ => tag,
        };
        let label_map = labels.label_map(&names);
        if label_map.is_empty() {
            tracing::error!(
                control = tag.name,
                labels = labels.labels.join(", "),
                classes = first_names(&metadata.names),
                file = network.file(),
                "no label of the control tag is a class of its model, skipped; name the model's classes in the \
                 attribute predicted_values of its labels"
            );
            return Ok(None);
        }
        let threshold = match number(tag, "model_score_threshold")? {
            Some(threshold) => threshold,
            None => number(tag, "score_threshold")?.unwrap_or(default_threshold),
        };
        let mut label_thresholds = HashMap::new();
        for (label, attributes) in &tag.labels_attrs {
            if let Some(text) = attributes.attrs.get_filled("model_score_threshold") {
                let what = || format!("label {label:?} of control tag {:?}", tag.name);
                label_thresholds.insert(label.to_string(), parse_number(text).with_context(what)?);
            }
        }
        let boxes = label_config.control(&format!("{}_bbox", tag.name)).ok();
        let first = Candidate::all(label_config).find(|other| other.kind == kind);
        let is_first = first.is_none_or(|first| first.tag.name == tag.name);
        let paths = match kind {
            Kind::Taxonomy => taxonomy::paths(label_config.text(), &tag.name)?,
            _ => HashMap::new(),
        };
        let points = match kind {
            Kind::KeyPoint => points(tag),
            _ => HashMap::new(),
        };
        Ok(Some(Self {
            threshold,
            adds_boxes: switch(tag, "model_add_bboxes", true),
            point_size: number(tag, "model_point_size")?.unwrap_or(1.0),
            point_threshold: number(tag, "model_point_threshold")?.unwrap_or(0.0),
            box_labels: boxes
                .map(|boxes| boxes.label_map(&names))
                .unwrap_or_default(),
            group_prefix: if is_first {
                String::new()
            } else {
                format!("{}-", tag.name)
            },
            label_thresholds,
            points,
            paths,
            tag,
            object,
            kind,
            label_map,
            network: Arc::clone(network),
        }))
    }

    /// Returns the minimum score of a label.
    pub fn threshold_of(&self, label: &str) -> f64 {
        self.label_thresholds
            .get(label)
            .copied()
            .unwrap_or(self.threshold)
    }

    /// Returns the lowest minimum score of all labels.
    pub fn lowest_threshold(&self) -> f64 {
        self.label_thresholds
            .values()
            .copied()
            .fold(self.threshold, f64::min)
    }

    /// Returns the label of a class.
    pub fn label(&self, class: usize) -> Option<&str> {
        let name = self.network.metadata().names.get(class)?;
        self.label_map.get(name).map(String::as_str)
    }
}

/// Reads which label stands for which point of which class: `predicted_values` and `model_index` of each label.
///
/// Labels that lack one of the two mean no point; the boxes around the points need none.
fn points(control: &ml::Control) -> HashMap<(String, usize), String> {
    let mut points = HashMap::new();
    for (label, tag) in &control.labels_attrs {
        let classes = tag.attrs.get_filled("predicted_values");
        let index = tag.attrs.get_filled("model_index");
        let number = index.and_then(|index| index.trim().parse::<usize>().ok());
        let (Some(classes), Some(number)) = (classes, number) else {
            if classes.is_some() || index.is_some() {
                tracing::warn!(
                    control = control.name,
                    label = &**label,
                    model_index = index,
                    "a key point's label needs predicted_values and the number of the point as model_index, skipped"
                );
            }
            continue;
        };
        let classes = classes.split(',').map(str::trim);
        for class in classes.filter(|class| !class.is_empty()) {
            points.insert((class.to_owned(), number), label.to_string());
        }
    }
    if points.is_empty() {
        tracing::error!(
            control = control.name,
            "no label of the control tag says which key point it means, so there are boxes only; give each label a \
             class and a number, such as predicted_values=\"person\" model_index=\"0\""
        );
    }
    points
}

/// Returns the `Labels` tag whose labels the boxes of a video get.
fn labels_of_video<'a>(
    label_config: &'a LabelConfig,
    tag: &ml::Control,
) -> anyhow::Result<&'a ml::Control> {
    let mut controls = label_config.controls().iter();
    let labels = controls.find(|control| {
        control.tag.eq_ignore_ascii_case("Labels") && control.to_name == tag.to_name
    });
    labels.with_context(|| {
        format!(
            "<{} name={:?}> needs a tag <Labels> with the same toName, which says what its boxes are",
            tag.tag, tag.name
        )
    })
}

/// Returns the labels of a control tag in the order of its label map, each with the numbers of the
/// classes that mean it.
pub(crate) fn label_columns<'a>(control: &'a Control<'_>) -> Vec<(&'a str, Vec<usize>)> {
    let mut columns: IndexMap<&str, Vec<usize>> = IndexMap::new();
    let names = &control.network.metadata().names;
    for (name, label) in &control.label_map {
        let classes = names.iter().enumerate().filter(|(_, other)| *other == name);
        let column = columns.entry(label).or_default();
        column.extend(classes.map(|(class, _)| class));
    }
    columns.into_iter().collect()
}

/// Returns the names of the first classes.
pub(crate) fn first_names(names: &[String]) -> String {
    const N_SHOWN: usize = 20;
    let mut text = names[..names.len().min(N_SHOWN)].join(", ");
    if names.len() > N_SHOWN {
        text.push_str(", ...");
    }
    text
}

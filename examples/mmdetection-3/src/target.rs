//! Which control tags of a label config get boxes, and from which classes.

use std::collections::{BTreeMap, HashMap};

use label_studio_ml::{
    Control, LabelConfig, Object, Region,
    anyhow::{self, bail},
    json,
};
use label_studio_vision::images::PercentBox;

use crate::{Detection, label_map};

/// What draws a box: a tag with labels, or one for the shape and one for its labels.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tags<'a> {
    /// `RectangleLabels`.
    RectangleLabels(&'a Control),
    /// `Rectangle`, and `Labels` on the same image.
    Pair {
        rectangle: &'a Control,
        labels: &'a Control,
    },
}

/// Tags that get boxes.
pub(crate) struct Candidate<'a> {
    pub(crate) tags: Tags<'a>,
    pub(crate) object: &'a Object,
}

/// Tags with what making their regions needs.
pub(crate) struct Target<'a> {
    tags: Tags<'a>,
    object: &'a Object,
    labels: BTreeMap<String, String>,
    threshold: f64,
    label_thresholds: HashMap<&'a str, f64>,
}

impl<'a> Tags<'a> {
    /// The tag that has the labels.
    pub(crate) fn labels(self) -> &'a Control {
        match self {
            Self::RectangleLabels(control) => control,
            Self::Pair { labels, .. } => labels,
        }
    }

    fn shape(self) -> &'a Control {
        match self {
            Self::RectangleLabels(control) => control,
            Self::Pair { rectangle, .. } => rectangle,
        }
    }

    /// An attribute of the tag that draws, or of the one with the labels.
    pub(crate) fn attr(self, name: &str) -> Option<&'a str> {
        self.shape().attr(name).or(self.labels().attr(name))
    }
}

impl<'a> Candidate<'a> {
    /// Returns the tags on an `Image` that get boxes, in the order of the document.
    pub(crate) fn all(label_config: &'a LabelConfig) -> Vec<Self> {
        let is_on = |control: &&Control, object: &Object| {
            let objects = label_config.objects_of(control);
            objects.into_iter().any(|other| other.name == object.name)
        };
        let mut all = Vec::new();
        for control in label_config.controls() {
            let object = label_config.objects_of(control).next();
            let Some(object) = object.filter(|object| object.tag.eq_ignore_ascii_case("Image"))
            else {
                continue;
            };
            let mut labels = label_config.controls_of("Labels");
            let tags = match control.tag.to_ascii_lowercase().as_str() {
                "rectanglelabels" => Some(Tags::RectangleLabels(control)),
                "rectangle" => {
                    labels
                        .find(|labels| is_on(labels, object))
                        .map(|labels| Tags::Pair {
                            rectangle: control,
                            labels,
                        })
                }
                _ => None,
            };
            let is_skipped = |tags: &Tags<'_>| {
                let skip = tags.attr("model_skip").unwrap_or_default();
                let on = ["1", "true", "yes"];
                on.iter().any(|on| skip.trim().eq_ignore_ascii_case(on))
            };
            if let Some(tags) = tags.filter(|tags| !is_skipped(tags)) {
                all.push(Self { tags, object });
            }
        }
        all
    }
}

impl<'a> Target<'a> {
    /// Prepares tags for a network that knows `classes`.
    pub(crate) fn new(
        Candidate { tags, object }: &Candidate<'a>,
        classes: &[String],
        labels_file: &BTreeMap<String, String>,
        default_threshold: f64,
    ) -> anyhow::Result<Self> {
        let labels = label_map(tags.labels(), classes, labels_file);
        if labels.is_empty() {
            tracing::warn!(
                control = tags.labels().name,
                "no label of the control tag is a class of the model"
            );
        }
        let threshold = tags
            .attr("model_score_threshold")
            .or(tags.attr("score_threshold"));
        let mut label_thresholds = HashMap::new();
        for (label, tag) in &tags.labels().labels_attrs {
            if let Some(text) = tag.attrs.get_filled("model_score_threshold") {
                label_thresholds.insert(&**label, number(text, tags.labels())?);
            }
        }
        Ok(Self {
            tags: *tags,
            object,
            labels,
            threshold: match threshold {
                Some(text) => number(text, tags.shape())?,
                None => default_threshold,
            },
            label_thresholds,
        })
    }

    /// Returns the lowest minimum score of all labels.
    pub(crate) fn lowest_threshold(&self) -> f64 {
        self.label_thresholds
            .values()
            .copied()
            .fold(self.threshold, f64::min)
    }

    /// Returns the regions for boxes in an image of a size (width, height).
    pub(crate) fn regions(
        &self,
        classes: &[String],
        boxes: &[Detection],
        size: (u32, u32),
    ) -> Vec<Region> {
        let labelled = boxes.iter().filter_map(|detection| {
            let label = self.labels.get(&classes[detection.class])?;
            let threshold = self.label_thresholds.get(&**label);
            let is_enough = detection.score >= *threshold.unwrap_or(&self.threshold);
            is_enough.then_some((label, detection))
        });
        labelled
            .flat_map(|(label, detection)| self.region(label, detection, size))
            .collect()
    }

    fn region(&self, label: &str, detection: &Detection, size: (u32, u32)) -> Vec<Region> {
        let PercentBox {
            x,
            y,
            width,
            height,
        } = PercentBox::from_pixels(detection.bounds, size);
        let mut value = json!({ "x": x, "y": y, "width": width, "height": height, "rotation": 0 });
        let region = |control: &Control, value| {
            Region::new(&control.name, &self.object.name, control.kind(), value)
                .with_score(detection.score.clamp(0.0, 1.0))
                .with_image_size(size.0, size.1)
        };
        match self.tags {
            Tags::RectangleLabels(control) => {
                value["rectanglelabels"] = json!([label]);
                vec![region(control, value)]
            }
            Tags::Pair { rectangle, labels } => {
                // Label Studio joins the shape and its labels by their id.
                let shape = region(rectangle, value.clone()).with_new_id();
                value["labels"] = json!([label]);
                let mut labelled = region(labels, value);
                labelled.id.clone_from(&shape.id);
                vec![shape, labelled]
            }
        }
    }
}

fn number(text: &str, control: &Control) -> anyhow::Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(number) if !number.is_nan() => Ok(number),
        _ => bail!(
            "model_score_threshold={text:?} in <{} name={:?}> is not a number",
            control.tag,
            control.name
        ),
    }
}

//! Regions on images, as Label Studio's editor writes them.

use label_studio_sdk::{Control, LabelConfig, Object, Pair, Region};
use serde_json::{Map, Value, json};

/// The tags that regions of an image come from: one for shape and label, such as `BrushLabels`, or
/// one for the shape, such as `Brush`, with a `Labels` tag beside it.
#[derive(Debug, Clone, Copy)]
pub struct ShapeTags<'a> {
    /// The tag of the shapes.
    pub shape: &'a Control,
    /// The tag of the labels, where it is another one.
    pub labels: Option<&'a Control>,
    /// The image.
    pub object: &'a Object,
}

/// A shape that was found in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape<'a> {
    /// The value of its region, without labels.
    pub value: Map<String, Value>,
    /// Its label, if it has one.
    pub label: Option<&'a str>,
    /// Width and height of the image in pixels.
    pub image_size: (u32, u32),
    /// How sure the model is, from 0 to 1.
    pub score: f64,
}

impl<'a> ShapeTags<'a> {
    /// Finds the `Labels` tag that a shape tag without labels needs on the same image.
    pub fn new(config: &'a LabelConfig, Pair { control, object }: Pair<'a>) -> Self {
        let labels = config.first_pair_where(
            "Labels",
            "Image",
            |_| true,
            |labelled| labelled.name == object.name,
        );
        let labels = labels.ok().map(|pair| pair.control);
        Self {
            shape: control,
            labels: labels.filter(|_| !control.kind().ends_with("labels")),
            object,
        }
    }

    /// Returns the tag that holds the labels.
    pub fn labels(&self) -> &'a Control {
        self.labels.unwrap_or(self.shape)
    }

    /// Returns the entries for a shape: its region, with the label in it; or, where another tag
    /// holds the labels, a second entry with the same id for the label.
    pub fn regions(&self, shape: Shape<'_>) -> Vec<Region> {
        let Shape {
            mut value,
            label,
            image_size: (width, height),
            score,
        } = shape;
        let region = |control: &Control, value: Map<String, Value>| {
            Region::new(&control.name, &self.object.name, control.kind(), value)
                .with_image_size(width, height)
                .with_score(score.clamp(0.0, 1.0))
        };
        match (label, self.labels) {
            (None, _) => vec![region(self.shape, value).with_new_id()],
            (Some(label), None) => {
                // A shape that knows no labels would lose them.
                if self.shape.kind().ends_with("labels") {
                    value.insert(self.shape.kind(), json!([label]));
                }
                vec![region(self.shape, value).with_new_id()]
            }
            (Some(label), Some(control)) => {
                let shape = region(self.shape, value.clone()).with_new_id();
                value.insert(control.kind(), json!([label]));
                let mut labelled = region(control, value);
                labelled.id.clone_from(&shape.id);
                vec![shape, labelled]
            }
        }
    }
}

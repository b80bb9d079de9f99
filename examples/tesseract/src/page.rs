//! Regions for the text of a whole page.

use label_studio_ml::{
    LabelConfig, Map, Region, Value,
    anyhow::{self, Context},
    json,
    sdk::Pair,
    serde_json,
};
use label_studio_vision::{Shape, ShapeTags, images::PercentBox};

use crate::{Line, PageUnit, Reading};

/// Controls that can hold a rectangle.
const RECTANGLES: [&str; 2] = ["RectangleLabels", "Rectangle"];

/// The tags that the text of a page goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageTags<'a> {
    /// The `TextArea` and its image.
    pub(crate) text_area: Pair<'a>,
    shapes: ShapeTags<'a>,
    label: Option<&'a str>,
}

/// Text at a place.
struct Found {
    bounds: [f64; 4],
    text: String,
    score: f64,
}

impl<'a> PageTags<'a> {
    /// Finds the tags for the image of a `TextArea`. Rectangles get the label that its attribute
    /// `ocr_label` names, or the first one.
    pub(crate) fn new(config: &'a LabelConfig, text_area: Pair<'a>) -> anyhow::Result<Self> {
        let image = &text_area.object.name;
        let rectangles = config
            .first_pair_where(
                &RECTANGLES,
                "Image",
                |_| true,
                |object| object.name == *image,
            )
            .context("the rectangles of READ_PAGES need a control")?;
        let shapes = ShapeTags::new(config, rectangles);
        let labels = &shapes.labels().labels;
        let label = match text_area.control.attr("ocr_label") {
            Some(wanted) => {
                let label = labels.iter().find(|label| *label == wanted);
                Some(label.with_context(|| {
                    format!(
                        "attribute ocr_label of <TextArea name={:?}> is {wanted:?}, which is none of the labels {}",
                        text_area.control.name,
                        labels.join(", ")
                    )
                })?)
            }
            None => labels.first(),
        };
        Ok(Self {
            text_area,
            shapes,
            label: label.map(String::as_str),
        })
    }

    /// Returns a rectangle, its label and its text for each line or word with a score of at least
    /// `min_score`; those of one place share an id.
    pub(crate) fn regions(
        &self,
        reading: &Reading,
        unit: PageUnit,
        min_score: f64,
        size: (u32, u32),
    ) -> Vec<Region> {
        let found = found(reading, unit).into_iter();
        let found = found.filter(|found| found.score >= min_score);
        found.flat_map(|found| self.entries(&found, size)).collect()
    }

    fn entries(&self, found: &Found, size: (u32, u32)) -> Vec<Region> {
        let value = rectangle_value(found.bounds, size);
        let mut entries = self.shapes.regions(Shape {
            value: value.clone(),
            label: self.label,
            image_size: size,
            score: found.score,
        });
        let Pair { control, object } = self.text_area;
        let mut value = value;
        value.insert("text".to_owned(), json!([found.text]));
        let mut text = Region::new(&control.name, &object.name, control.kind(), value)
            .with_image_size(size.0, size.1)
            .with_score(found.score);
        text.id = entries.first().and_then(|shape| shape.id.clone());
        entries.push(text);
        entries
    }
}

fn found(reading: &Reading, unit: PageUnit) -> Vec<Found> {
    let line = |line: &Line| Found {
        bounds: line.bounds,
        text: line.text(),
        score: line.score(),
    };
    match unit {
        PageUnit::Off => Vec::new(),
        PageUnit::Lines => reading.lines.iter().map(line).collect(),
        PageUnit::Words => {
            let words = reading.lines.iter().flat_map(|line| &line.words);
            words
                .map(|word| Found {
                    bounds: word.bounds,
                    text: word.text.clone(),
                    score: word.score,
                })
                .collect()
        }
    }
}

fn rectangle_value(bounds: [f64; 4], size: (u32, u32)) -> Map<String, Value> {
    let rectangle = PercentBox::from_pixels(bounds, size);
    let value = serde_json::to_value(rectangle).expect("numbers can be written");
    let Value::Object(mut value) = value else {
        unreachable!("a struct is an object");
    };
    value.insert("rotation".to_owned(), json!(0));
    value
}

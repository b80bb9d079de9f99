//! Regions of lines.

use crate::Line;
use label_studio_ml::{
    Control, LabelConfig, Object, Region, Value,
    anyhow::{self, anyhow},
    json,
    sdk::Pair,
};

/// Label of lines in a label config without labels.
const DEFAULT_LABEL: &str = "Text";
const POLYGONS: [&str; 2] = ["Polygon", "PolygonLabels"];
const RECTANGLES: [&str; 2] = ["Rectangle", "RectangleLabels"];

/// The shape of a line's region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputType {
    /// Its four corners.
    #[default]
    Polygon,
    /// The upright rectangle around it.
    Rectangle,
}

impl OutputType {
    /// Reads a setting as the Python original does: everything but `polygon` means rectangles.
    pub fn parse(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "polygon" => Self::Polygon,
            _ => Self::Rectangle,
        }
    }
}

/// Where the regions of lines go in a label config.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    kind: OutputType,
    shape: &'a Control,
    /// The image.
    pub object: &'a Object,
    text: Option<&'a Control>,
    labels: Option<&'a Control>,
    label: &'a str,
}

impl<'a> Output<'a> {
    /// Finds the tags: one for shapes, of the preferred kind if there is one, and on the same image
    /// those for texts and labels.
    pub fn find(
        config: &'a LabelConfig,
        preferred: OutputType,
        includes_text: bool,
    ) -> anyhow::Result<Self> {
        let polygon = || config.first_pair(&POLYGONS, "Image").ok();
        let rectangle = || config.first_pair(&RECTANGLES, "Image").ok();
        let polygon = || Some((OutputType::Polygon, polygon()?));
        let rectangle = || Some((OutputType::Rectangle, rectangle()?));
        let found = match preferred {
            OutputType::Polygon => polygon().or_else(rectangle),
            OutputType::Rectangle => rectangle().or_else(polygon),
        };
        let (kind, Pair { control, object }) = found.ok_or_else(|| {
            anyhow!(
                "the label config needs a Polygon, PolygonLabels, Rectangle or RectangleLabels tag on an Image, and for \
                 the texts a TextArea with perRegion=\"true\" on it"
            )
        })?;
        let on_image = |tag: &str| {
            let is_same = |other: &Object| other.name == object.name;
            let pair = config.first_pair_where(tag, "Image", |_| true, is_same);
            pair.ok().map(|pair| pair.control)
        };
        let has_labels = control.kind().ends_with("labels");
        let labels = on_image("Labels").filter(|_| !has_labels);
        let own = has_labels.then_some(control).or(labels);
        let mut all = own.into_iter().chain(config.controls());
        let label = all.find_map(|control| control.labels.first());
        Ok(Self {
            kind,
            shape: control,
            object,
            text: on_image("TextArea").filter(|_| includes_text),
            labels,
            label: label.map_or(DEFAULT_LABEL, String::as_str),
        })
    }

    /// Returns the entries of a line on an image of a size: its shape, its text and its label, which
    /// share an id.
    pub fn regions(&self, line: &Line, size: (u32, u32)) -> Vec<Region> {
        let mut value = match self.kind {
            OutputType::Polygon => json!({ "points": points(line, size) }),
            OutputType::Rectangle => rectangle(line, size),
        };
        let region = |control: &Control, value: Value| {
            let mut region = Region::new(&control.name, &self.object.name, control.kind(), value)
                .with_image_size(size.0, size.1)
                .with_score(line.score.clamp(0.0, 1.0));
            region.extra.insert("origin".to_owned(), json!("manual"));
            region
        };
        let plain = value.clone();
        if self.shape.kind().ends_with("labels") {
            value[self.shape.kind()] = json!([self.label]);
        }
        let mut regions = vec![region(self.shape, value).with_new_id()];
        if let Some(control) = self.text {
            let mut value = json!({ "text": [line.text], "labels": [self.label] });
            if self.kind == OutputType::Polygon {
                value["points"] = plain["points"].clone();
            }
            regions.push(region(control, value));
        }
        if let Some(control) = self.labels {
            let mut value = plain;
            value["labels"] = json!([self.label]);
            regions.push(region(control, value));
        }
        let id = regions[0].id.clone();
        for region in &mut regions {
            region.id.clone_from(&id);
        }
        regions
    }
}

fn points(line: &Line, (width, height): (u32, u32)) -> Vec<[f64; 2]> {
    let corners = line.quad.0.iter();
    corners
        .map(|&[x, y]| [percent(x, width), percent(y, height)])
        .collect()
}

fn rectangle(line: &Line, (width, height): (u32, u32)) -> Value {
    let [x1, y1, x2, y2] = line.quad.bounds();
    let (x, y) = (percent(x1, width), percent(y1, height));
    let (right, bottom) = (percent(x2, width), percent(y2, height));
    json!({ "x": x, "y": y, "width": right - x, "height": bottom - y, "rotation": 0 })
}

/// Converts a position in pixels to percent of a side, at most all of it.
fn percent(pixels: f32, side: u32) -> f64 {
    // Whole percentages stay whole if the division comes last.
    (f64::from(pixels) * 100.0 / f64::from(side)).clamp(0.0, 100.0)
}

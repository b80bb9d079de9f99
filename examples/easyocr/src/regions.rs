//! Regions of lines.

use clap::ValueEnum;
use label_studio_ml::{
    Control, LabelConfig, Object, Region, Value,
    anyhow::{self, Context},
    json,
    sdk::Pair,
};
use label_studio_vision::{
    boxes::clip,
    images::{PercentBox, to_percent},
};

use crate::Line;

const POLYGONS: [&str; 2] = ["Polygon", "PolygonLabels"];
const RECTANGLES: [&str; 2] = ["Rectangle", "RectangleLabels"];

/// The preferred shape of regions
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ShapeKind {
    /// The four corners of a line
    #[default]
    Polygon,
    /// The upright rectangle around it
    Rectangle,
}

/// Where the regions of lines go in a label config.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    kind: ShapeKind,
    shape: &'a Control,
    /// The image.
    pub object: &'a Object,
    text: &'a Control,
    labels: Option<&'a Control>,
    label: &'a str,
}

impl<'a> Output<'a> {
    /// Finds the tags: one for shapes, of the preferred kind if there is one, and on the same image
    /// a `TextArea`; and the first label.
    pub fn find(config: &'a LabelConfig, preferred: ShapeKind) -> anyhow::Result<Self> {
        let of = |kind: ShapeKind| {
            let tags = match kind {
                ShapeKind::Polygon => &POLYGONS,
                ShapeKind::Rectangle => &RECTANGLES,
            };
            Some((kind, config.first_pair(tags, "Image").ok()?))
        };
        let found = match preferred {
            ShapeKind::Polygon => of(ShapeKind::Polygon).or_else(|| of(ShapeKind::Rectangle)),
            ShapeKind::Rectangle => of(ShapeKind::Rectangle).or_else(|| of(ShapeKind::Polygon)),
        };
        let (kind, Pair { control, object }) = found.context(
            "the label config needs a <Polygon> or <Rectangle> on an <Image>, and a <TextArea perRegion=\"true\"> on it",
        )?;
        let on_image = |tag: &str| {
            let is_same = |other: &Object| other.name == object.name;
            let pair = config.first_pair_where(tag, "Image", |_| true, is_same);
            pair.map(|pair| pair.control)
        };
        let has_labels = control.kind().ends_with("labels");
        let labels = on_image("Labels").ok().filter(|_| !has_labels);
        let own = has_labels.then_some(control).or(labels);
        let mut all = own.into_iter().chain(config.controls());
        let label = all.find_map(|control| control.labels.first()).context(
            "the label config has no label for the texts: add <Labels> with a <Label value=\"Text\"/>",
        )?;
        Ok(Self {
            kind,
            shape: control,
            object,
            text: on_image("TextArea")?,
            labels,
            label,
        })
    }

    /// Returns the entries of a line on an image of a size: its shape, its text, and its label if
    /// that has its own tag. They share an id.
    pub fn regions(&self, line: &Line, size: (u32, u32)) -> Vec<Region> {
        let place = match self.kind {
            ShapeKind::Polygon => json!({ "points": points(line, size) }),
            ShapeKind::Rectangle => rectangle(line, size),
        };
        let region = |control: &Control, value: Value| {
            let mut region = Region::new(&control.name, &self.object.name, control.kind(), value)
                .with_image_size(size.0, size.1)
                .with_score(line.score.clamp(0.0, 1.0));
            region.extra.insert("origin".to_owned(), json!("manual"));
            region
        };
        let with = |fields: &[(&str, Value)]| {
            let mut value = place.clone();
            for (name, field) in fields {
                value[*name] = field.clone();
            }
            value
        };
        let (label, kind) = (json!([self.label]), self.shape.kind());
        let shape = if kind.ends_with("labels") {
            with(&[(&kind, label.clone())])
        } else {
            place.clone()
        };
        let text = with(&[("labels", label.clone()), ("text", json!([line.text]))]);
        let mut regions = vec![
            region(self.shape, shape).with_new_id(),
            region(self.text, text),
        ];
        let labels = self
            .labels
            .map(|control| region(control, with(&[("labels", label)])));
        regions.extend(labels);
        let id = regions[0].id.clone();
        for region in &mut regions {
            region.id.clone_from(&id);
        }
        regions
    }
}

fn points(line: &Line, (width, height): (u32, u32)) -> Vec<[f64; 2]> {
    let percent = |pixels: f64, side: u32| to_percent(pixels, side).clamp(0.0, 100.0);
    let corners = line.corners.iter();
    corners
        .map(|&[x, y]| [percent(x, width), percent(y, height)])
        .collect()
}

fn rectangle(line: &Line, size: (u32, u32)) -> Value {
    let edge = |axis: usize, of: fn(f64, f64) -> f64, start: f64| {
        line.corners
            .iter()
            .map(|corner| corner[axis])
            .fold(start, of)
    };
    let least = |axis| edge(axis, f64::min, f64::INFINITY);
    let most = |axis| edge(axis, f64::max, f64::NEG_INFINITY);
    let bounds = clip([least(0), least(1), most(0), most(1)], size);
    let PercentBox {
        x,
        y,
        width,
        height,
    } = PercentBox::from_pixels(bounds, size);
    json!({ "x": x, "y": y, "width": width, "height": height, "rotation": 0 })
}

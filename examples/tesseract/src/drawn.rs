//! The region that the annotator has just drawn.

use label_studio_ml::{
    Map, Value,
    anyhow::{self, Context, ensure},
    json,
};

use crate::Outline;

/// Fields of a value that say where a region is.
const GEOMETRY: [&str; 9] = [
    "x", "y", "width", "height", "rotation", "radiusX", "radiusY", "points", "closed",
];
/// Most corners of a polygon that are read.
const MAX_POINTS: usize = 10_000;

/// A region without text, and the entries of the context that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn<'a> {
    /// The entry with its shape.
    pub shape: &'a Value,
    /// All entries of the region, as they came.
    pub entries: Vec<&'a Value>,
    /// Where it is.
    pub outline: Outline,
}

impl<'a> Drawn<'a> {
    /// Returns the newest rectangle, polygon or ellipse that has no text yet.
    pub fn newest(context: &'a [Value]) -> anyhow::Result<Option<Self>> {
        let has_text = |shape: &Value| {
            let id = &shape["id"];
            let of_region = context.iter().filter(|entry| entry["id"] == *id);
            !id.is_null()
                && of_region
                    .into_iter()
                    .any(|entry| entry["type"] == "textarea")
        };
        let mut shapes = context.iter().rev().filter(|entry| is_shape(entry));
        let Some(shape) = shapes.find(|shape| !has_text(shape)) else {
            return Ok(None);
        };
        let entries = context.iter().filter(|entry| {
            std::ptr::eq(*entry, shape) || !shape["id"].is_null() && entry["id"] == shape["id"]
        });
        Ok(Some(Self {
            shape,
            entries: entries.collect(),
            outline: outline(shape)?,
        }))
    }

    /// Returns the name of the image that it is drawn on.
    pub fn to_name(&self) -> Option<&'a str> {
        self.shape["to_name"].as_str()
    }

    /// Returns the position of its image in the list of an `Image` with a `valueList`.
    pub fn item_index(&self) -> Option<usize> {
        usize::try_from(self.shape["item_index"].as_u64()?).ok()
    }

    /// Returns the value of a region at the same place with a text.
    pub fn value_with_text(&self, text: &str) -> Map<String, Value> {
        let fields = GEOMETRY.iter().filter_map(|field| {
            let value = self.shape["value"].get(field)?;
            Some(((*field).to_owned(), value.clone()))
        });
        let mut value: Map<String, Value> = fields.collect();
        if !value.contains_key("points") {
            value.entry("rotation").or_insert_with(|| json!(0));
        }
        value.insert("text".to_owned(), json!([text]));
        value
    }
}

fn kind(region: &Value) -> &str {
    let kind = region["type"].as_str().unwrap_or_default();
    kind.strip_suffix("labels").unwrap_or(kind)
}

fn is_shape(region: &Value) -> bool {
    let value = &region["value"];
    match kind(region) {
        "rectangle" | "ellipse" | "polygon" => true,
        // A region of old exports.
        "" => region["type"].is_null() && !value["width"].is_null() && !value["height"].is_null(),
        _ => false,
    }
}

fn outline(region: &Value) -> anyhow::Result<Outline> {
    let value = &region["value"];
    let field = |name: &str| {
        number(&value[name]).with_context(|| {
            let kind = region["type"].as_str().unwrap_or("drawn");
            format!("the {kind} region just drawn has no number {name}: {value}")
        })
    };
    let rotation = number(&value["rotation"]).unwrap_or_default();
    match kind(region) {
        "ellipse" => Ok(Outline::Ellipse {
            centre: [field("x")?, field("y")?],
            radii: [field("radiusX")?, field("radiusY")?],
            rotation,
        }),
        "polygon" => {
            let points = value["points"].as_array().map_or(&[][..], Vec::as_slice);
            let n_points = points.len();
            ensure!(
                n_points <= MAX_POINTS,
                "the polygon just drawn has {n_points} corners, at most {MAX_POINTS} are read"
            );
            let points = points
                .iter()
                .map(|point| Some([number(&point[0])?, number(&point[1])?]));
            let points: Option<Vec<_>> = points.collect();
            let points = points.filter(|points| points.len() >= 3);
            let points = points.with_context(|| {
                format!("the polygon just drawn is no list of three or more points: {value}")
            })?;
            Ok(Outline::Polygon(points))
        }
        _ => Ok(Outline::Rectangle {
            corner: [field("x")?, field("y")?],
            size: [field("width")?, field("height")?],
            rotation,
        }),
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

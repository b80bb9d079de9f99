//! Values of the controls that mark images. Coordinates are percentages of the image's size.

use serde::{Deserialize, Serialize};

use super::reading::{
    bytes, degrees, flag, number, number_or_zero, optional_integer, percent, points, radius,
};

/// Value of a `Rectangle` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RectangleValue {
    /// Left edge.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Top edge.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
    /// Width.
    #[serde(deserialize_with = "percent")]
    pub width: f64,
    /// Height.
    #[serde(deserialize_with = "percent")]
    pub height: f64,
    /// Clockwise rotation around the top left corner in degrees.
    #[serde(default, deserialize_with = "degrees")]
    pub rotation: f64,
}

/// Value of a `RectangleLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RectangleLabelsValue {
    /// Left edge.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Top edge.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
    /// Width.
    #[serde(deserialize_with = "percent")]
    pub width: f64,
    /// Height.
    #[serde(deserialize_with = "percent")]
    pub height: f64,
    /// Clockwise rotation around the top left corner in degrees.
    #[serde(default, deserialize_with = "degrees")]
    pub rotation: f64,
    /// Labels of the rectangle.
    pub rectanglelabels: Vec<String>,
}

/// Value of an `Ellipse` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EllipseValue {
    /// Centre from the left.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Centre from the top.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
    /// Horizontal radius.
    #[serde(deserialize_with = "radius")]
    pub radius_x: f64,
    /// Vertical radius.
    #[serde(deserialize_with = "radius")]
    pub radius_y: f64,
    /// Clockwise rotation in degrees.
    #[serde(default, deserialize_with = "degrees")]
    pub rotation: f64,
}

/// Value of an `EllipseLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EllipseLabelsValue {
    /// Centre from the left.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Centre from the top.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
    /// Horizontal radius.
    #[serde(deserialize_with = "radius")]
    pub radius_x: f64,
    /// Vertical radius.
    #[serde(deserialize_with = "radius")]
    pub radius_y: f64,
    /// Clockwise rotation in degrees.
    #[serde(default, deserialize_with = "degrees")]
    pub rotation: f64,
    /// Labels of the ellipse.
    pub ellipselabels: Vec<String>,
}

/// Value of a `KeyPoint` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyPointValue {
    /// Distance from the left.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Distance from the top.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
}

/// Value of a `KeyPointLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyPointLabelsValue {
    /// Distance from the left.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Distance from the top.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
    /// Labels of the point.
    pub keypointlabels: Vec<String>,
}

/// Value of a `Polygon` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolygonValue {
    /// Corners, each from the left and from the top.
    #[serde(deserialize_with = "points")]
    pub points: Vec<[f64; 2]>,
}

/// Value of a `PolygonLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolygonLabelsValue {
    /// Corners, each from the left and from the top.
    #[serde(deserialize_with = "points")]
    pub points: Vec<[f64; 2]>,
    /// Labels of the polygon.
    pub polygonlabels: Vec<String>,
}

/// Value of a `Brush` or `MagicWand` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrushValue {
    /// How the mask is written: `rle`.
    #[serde(default = "rle")]
    pub format: String,
    /// The mask as [`brush_rle`](crate::brush_rle) writes it; not empty.
    #[serde(deserialize_with = "bytes")]
    pub rle: Vec<u8>,
}

/// Value of a `BrushLabels` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrushLabelsValue {
    /// How the mask is written: `rle`.
    #[serde(default = "rle")]
    pub format: String,
    /// The mask as [`brush_rle`](crate::brush_rle) writes it; not empty.
    #[serde(deserialize_with = "bytes")]
    pub rle: Vec<u8>,
    /// Labels of the mask.
    pub brushlabels: Vec<String>,
}

/// Value of a `Bitmask` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitmaskValue {
    /// The mask as a PNG in a `data:` URL.
    #[serde(rename = "imageDataURL")]
    pub image_data_url: String,
    /// How the mask is written.
    #[serde(default)]
    pub format: Option<String>,
}

/// Value of a `BitmaskLabels` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitmaskLabelsValue {
    /// The mask as a PNG in a `data:` URL.
    #[serde(rename = "imageDataURL")]
    pub image_data_url: String,
    /// How the mask is written.
    #[serde(default)]
    pub format: Option<String>,
    /// Labels of the mask.
    pub bitmasklabels: Vec<String>,
}

/// Value of a `Vector` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VectorValue {
    /// Whether the last vertex is joined to the first.
    #[serde(default, deserialize_with = "flag")]
    pub closed: bool,
    /// Vertices of the line.
    pub vertices: Vec<VectorVertex>,
}

/// Value of a `VectorLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VectorLabelsValue {
    /// Whether the last vertex is joined to the first.
    #[serde(default, deserialize_with = "flag")]
    pub closed: bool,
    /// Vertices of the line.
    pub vertices: Vec<VectorVertex>,
    /// Labels of the line.
    pub vectorlabels: Vec<String>,
}

/// A vertex of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VectorVertex {
    /// Distance from the left.
    #[serde(deserialize_with = "number")]
    pub x: f64,
    /// Distance from the top.
    #[serde(deserialize_with = "number")]
    pub y: f64,
    /// Identifies the vertex.
    #[serde(default)]
    pub id: Option<String>,
    /// Whether the line is curved here.
    #[serde(default, deserialize_with = "flag")]
    pub is_bezier: bool,
    /// Vertex that the line comes from.
    #[serde(default)]
    pub prev_point_id: Option<String>,
}

/// Value of an `OcrLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OcrLabelsValue {
    /// Left edge.
    #[serde(deserialize_with = "number")]
    pub x: f64,
    /// Top edge.
    #[serde(deserialize_with = "number")]
    pub y: f64,
    /// Width.
    #[serde(deserialize_with = "number")]
    pub width: f64,
    /// Height.
    #[serde(deserialize_with = "number")]
    pub height: f64,
    /// Clockwise rotation in degrees.
    #[serde(default, deserialize_with = "number_or_zero")]
    pub rotation: f64,
    /// The text that was read.
    #[serde(default)]
    pub ocrtext: Option<String>,
    /// Labels of the text.
    pub ocrlabels: Vec<String>,
    /// Page of the document, counted from 0.
    #[serde(default, rename = "pageIndex", deserialize_with = "optional_integer")]
    pub page_index: Option<i64>,
}

fn rle() -> String {
    "rle".into()
}

//! Values that mark a part of an image.

use serde_json::Value;

use super::{
    BitmaskLabelsValue, BitmaskValue, BrushLabelsValue, BrushValue, EllipseLabelsValue,
    EllipseValue, KeyPointLabelsValue, KeyPointValue, OcrLabelsValue, PolygonLabelsValue,
    PolygonValue, RectangleLabelsValue, RectangleValue, VectorLabelsValue, VectorValue,
};

/// Size of an image in pixels, before it is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageSize {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A value that marks a part of an image. Its coordinates are percentages, so a region needs the size of the image, too:
/// [`Control::image_region`](crate::Control::image_region) takes both.
pub trait ImageValue: Into<Value> {}

macro_rules! image_values {
    ($($value:ident)*) => {
        $(impl ImageValue for $value {})*
    };
}

image_values! {
    BitmaskLabelsValue BitmaskValue BrushLabelsValue BrushValue EllipseLabelsValue EllipseValue KeyPointLabelsValue
    KeyPointValue OcrLabelsValue PolygonLabelsValue PolygonValue RectangleLabelsValue RectangleValue VectorLabelsValue
    VectorValue
}

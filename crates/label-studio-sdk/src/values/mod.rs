//! One type per control tag: what its regions have as `value`.
//!
//! The fields are those that Label Studio's own SDK knows, under the names on the wire. Reading is tolerant: numbers may
//! be text, unknown fields are dropped and missing optional ones get their default. It is strict about the upper bounds
//! that the SDK checks: 100 for percentages, 50 for radii, 360 for degrees. A value that is filled in by hand is not checked.
//!
//! ```
//! use label_studio_sdk::values::RectangleLabelsValue;
//! use serde_json::{Value, json};
//!
//! let value = RectangleLabelsValue {
//!     x: 10.0,
//!     y: 20.0,
//!     width: 30.0,
//!     height: 40.0,
//!     rotation: 0.0,
//!     rectanglelabels: vec!["Car".into()],
//! };
//! assert_eq!(Value::from(value)["rectanglelabels"], json!(["Car"]));
//! ```

mod answers;
mod image;
mod image_value;
mod kind;
mod media;
mod reading;
mod text;

pub use answers::{
    ChatMessage, ChatMessageValue, ChoicesValue, DateTimeValue, NumberValue, PairwiseValue,
    RankerValue, RatingValue, ReactCodeValue, TaxonomyValue, TextAreaValue,
};
pub use image::{
    BitmaskLabelsValue, BitmaskValue, BrushLabelsValue, BrushValue, EllipseLabelsValue,
    EllipseValue, KeyPointLabelsValue, KeyPointValue, OcrLabelsValue, PolygonLabelsValue,
    PolygonValue, RectangleLabelsValue, RectangleValue, VectorLabelsValue, VectorValue,
    VectorVertex,
};
pub use image_value::{ImageSize, ImageValue};
pub use kind::ValueKind;
pub use media::{
    TimeSeriesLabelsValue, TimelineLabelsValue, TimelineRange, VideoRectangleKeyframe,
    VideoRectangleValue, VideoVectorKeyframe, VideoVectorLabelsValue, VideoVectorValue,
};
pub use text::{HyperTextLabelsValue, LabelsValue, ParagraphLabelsValue, Position};

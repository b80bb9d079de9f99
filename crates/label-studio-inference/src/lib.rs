//! What backends with a neural network share.
//!
//! - [`hub`]: weights from a local path or from a model hub.
//! - [`onnx`]: sessions on ONNX Runtime, or on a pure Rust engine.
//! - [`images`]: decoding within limits, orientation, resizing, normalising, percentages.
//! - [`boxes`]: overlap and suppression of boxes.
//! - [`grounding_dino`]: boxes around what a text names.
//! - [`masks`]: from scores to regions: thresholds, components, contours, polygons, RLE.
//! - [`sam`]: Segment Anything, from clicks and rectangles to regions.
//! - [`tokens`]: text to token ids, with character offsets.

pub mod boxes;
pub mod grounding_dino;
pub mod hub;
pub mod images;
pub mod masks;
pub mod onnx;
pub mod sam;
pub mod tokens;

//! Shared code of backends that label images.
//!
//! - [`images`]: decoding within limits, orientation, resizing, normalising, percentages.
//! - [`batches`]: images of tasks through models, several at a time.
//! - [`boxes`]: overlap and suppression of boxes.
//! - [`masks`]: from scores to regions: thresholds, components, contours, polygons, RLE.
//! - [`ShapeTags`]: regions on images, with their labels where Label Studio looks for them.
//! - `VisionArgs`: the flags of a backend that runs a neural network on images (feature
//!   `inference`).
//! - `llm`: images for language models, as `data:` URLs or as text (feature `llm`).
//! - [`models`]: text detection and recognition, Segment Anything (feature `models`) and Grounding
//!   DINO (feature `grounding_dino`).
//! - `video`: frames of videos, and objects followed through them (feature `video`).
//!
//! Without its features the crate holds no inference engine: a backend that sends images to a web
//! service decodes them with it, too.
//!
//! ```
//! use label_studio_vision::images::{Limits, decode};
//!
//! let error = decode(b"<html>Log in</html>", &Limits::default()).unwrap_err();
//! assert!(error.to_string().starts_with("file is a web page"));
//! ```

#[cfg(feature = "inference")]
mod args;
pub mod batches;
pub mod boxes;
pub mod images;
#[cfg(feature = "llm")]
pub mod llm;
pub mod masks;
pub mod models;
mod regions;
#[cfg(feature = "video")]
pub mod video;

#[cfg(feature = "inference")]
pub use args::{Vision, VisionArgs};
pub use regions::{Shape, ShapeTags};

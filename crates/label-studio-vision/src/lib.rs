//! What backends that label images share.
//!
//! - [`images`]: decoding within limits, orientation, resizing, normalising, percentages.
//! - [`boxes`]: overlap and suppression of boxes.
//! - [`masks`]: from scores to regions: thresholds, components, contours, polygons, RLE.
//! - `models`: Segment Anything (feature `models`) and Grounding DINO (feature `grounding_dino`).
//!
//! Without its features the crate holds no inference engine: a backend that sends images to a web service decodes them
//! with it, too.
//!
//! ```
//! use label_studio_vision::images::{Limits, decode};
//!
//! let error = decode(b"<html>Log in</html>", &Limits::default()).unwrap_err();
//! assert!(error.to_string().starts_with("file is a web page"));
//! ```

pub mod boxes;
pub mod images;
pub mod masks;
#[cfg(feature = "models")]
pub mod models;

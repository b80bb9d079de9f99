//! Boxes around lines of text, out of the maps that text detectors give.
//!
//! [`ProbabilityMap`] reads the output of a detector with differentiable binarisation (DB, as
//! PP-OCR's), [`HeatMaps`] the two of CRAFT (as EasyOCR's). Both give [`TextBox`]es around
//! rectangles of the smallest area; [`reading_order`] sorts those of a page.
//!
//! ```
//! use label_studio_vision::models::text_detection::{DbOptions, ProbabilityMap};
//! use ndarray::Array2;
//!
//! let mut page = Array2::zeros((96, 64));
//! page.slice_mut(ndarray::s![20..32, 8..48]).fill(0.9_f32);
//! let map = ProbabilityMap { values: page.view(), image_size: (128, 192) };
//! let found = map.boxes(&DbOptions::default());
//! assert_eq!(found.len(), 1);
//! // The map is half as large as the image.
//! assert!(found[0].quad.bounds()[0] < 16.0);
//! ```

mod craft;
mod db;
mod order;
mod score;
mod unclip;

pub use craft::{CraftOptions, HeatMaps};
pub use db::{DbOptions, ProbabilityMap};
pub use order::reading_order;
pub use unclip::unclip;

use crate::boxes::Quad;

/// A box around a line or a word of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextBox {
    /// Its corners, from the top left one clockwise, in pixels of the image or of the map.
    pub quad: Quad,
    /// How sure the detector is, from 0 to 1.
    pub score: f64,
}

//! Finds and reads text in images with PP-OCR models.
//!
//! [`PpOcr`] is the model that Label Studio talks to. A [`PageReader`] reads a page: a [`Detector`]
//! finds lines, a [`LineOrientation`] turns those that are upside down, a [`Recogniser`] reads them.
//! [`Release`] names the published models, and [`Dictionary`] the characters of one.

mod args;
mod crops;
mod detector;
mod dictionary;
mod expected;
mod line_orientation;
mod model;
mod page_orientation;
mod page_reader;
mod pipeline;
mod recogniser;
mod regions;
mod release;

pub use args::PpOcrArgs;
pub use detector::Detector;
pub use dictionary::Dictionary;
pub use line_orientation::LineOrientation;
pub use model::PpOcr;
pub use page_orientation::PageOrientation;
pub use page_reader::{Line, PageReader};
pub use pipeline::{DetectorInput, LimitType, Pipeline};
pub use recogniser::{Recogniser, input_width};
pub use regions::{Output, OutputType};
pub use release::{Release, Variant, Version};

//! Reads text with Tesseract: in the region that an annotator draws, or on whole pages.
//!
//! [`TesseractOcr`] is the model that Label Studio talks to, [`TesseractArgs`] are its flags.
//! [`Outline`] is what is cut out of an image, [`Tesseract`] the program that reads it, [`Reading`]
//! what it prints.

mod args;
mod drawn;
mod engine;
mod languages;
mod model;
mod outline;
mod page;
mod reading;
mod settings;

pub use args::{PageArgs, PageUnit, TesseractArgs};
pub use drawn::Drawn;
pub use engine::{Pnm, Tesseract};
pub use languages::Languages;
pub use model::TesseractOcr;
pub use outline::Outline;
pub use reading::{Line, Reading, Word};
pub use settings::{PageSegmentation, Settings};

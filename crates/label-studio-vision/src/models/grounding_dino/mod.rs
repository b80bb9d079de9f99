//! Grounding DINO: boxes around what a text names.
//!
//! A [`Prompt`] holds the phrases that an annotator typed. A [`Detector`] runs an exported model on
//! images; each [`Detection`] belongs to a phrase, and [`label_for`] returns its label in the label
//! config. [`PromptControls`] reads prompt and thresholds from a label config's controls. A
//! [`Finder`] does all that for tasks.
//!
//! ```no_run
//! use label_studio_vision::models::grounding_dino::{Detector, DetectorOptions, Prompt, Thresholds};
//! use label_studio_vision::images::{Limits, open};
//! use label_studio_inference::onnx::{OnnxArgs, Runtime};
//!
//! # fn main() -> anyhow::Result<()> {
//! let runtime = Runtime::new(&OnnxArgs::default())?; let detector = Detector::load(&runtime,
//! "model.onnx", "tokenizer.json", DetectorOptions::default())?; let prompt = Prompt::new("a red
//! car. dog", &[]).expect("there are words"); let image = open("street.jpg".as_ref(),
//! &Limits::default())?; for found in detector.detect(&[&image], &prompt,
//! Thresholds::default())?.remove(0) { println!("{:?} at {:?}, score {}", found.phrase,
//! found.bounds, found.score); }
//! # Ok(())
//! # }
//! ```

mod args;
mod caption;
mod controls;
mod detector;
mod error;
mod finder;
mod frame;
mod image_scale;
mod inputs;
mod labels;
mod prompt;
mod regions;
mod scores;

pub use args::GroundingDinoArgs;
pub use controls::PromptControls;
pub use detector::{Detector, DetectorOptions, Phrases, ScaledImage, Search};
pub use error::GroundingDinoError;
pub use finder::Finder;
pub use frame::resized;
pub use image_scale::ImageScale;
pub use labels::label_for;
pub use prompt::{Phrase, Prompt, caption};
pub use regions::{as_stored, rectangles};
pub use scores::{Detection, Thresholds};

//! Segment Anything: from clicks and boxes on an image to masks, and from those to regions.
//!
//! [`Sam`] and [`Sam2`] run the exported files of either generation; both are a [`PromptedModel`].
//! A [`Predictor`] adds what an interactive backend needs: an image is encoded once, however many
//! people click on it, and its embedding is kept under the image's content within a budget of
//! bytes. [`SmartTools`] is the backend itself: it reads the regions that an annotator has just
//! drawn and answers with a region per label.
//!
//! ```no_run
//! use label_studio_inference::onnx::{OnnxArgs, Runtime};
//! use label_studio_vision::models::sam::{MaskChoice, Predictor, Prompt, Sam};
//!
//! # fn main() -> anyhow::Result<()> {
//! let runtime = Runtime::new(&OnnxArgs::default())?;
//! let sam = Sam::load(&runtime, "encoder.onnx", "decoder.onnx", MaskChoice::Auto)?;
//! let predictor = Predictor::new(sam, 1 << 30);
//! let embedding = predictor.embed_file("cat.jpg")?;
//! let found = predictor.segment(&embedding, &Prompt::rectangle([10.0, 20.0, 300.0, 400.0]))?;
//! println!("{} pixels, score {}", found.mask.area(), found.score);
//! # Ok(())
//! # }
//! ```

mod args;
mod cache;
mod candidates;
mod choice;
mod context;
mod decoder;
mod encoder;
mod error;
mod files;
mod frame;
mod model;
mod predictor;
mod prompt;
mod regions;
mod sam2;
mod sam2_decoder;
mod smart_tools;

pub use args::SamArgs;
pub use choice::MaskChoice;
pub use context::{ContextError, ObjectPrompt, read_context};
pub use error::SamError;
pub use files::{Checkpoints, NamedFiles};
pub use frame::{LongestSide, decoder_points};
pub use model::{Embedding, PromptedModel, ScoredMask};
pub use predictor::Predictor;
pub use prompt::{Click, Prompt};
pub use regions::regions;
pub use sam2::Sam2;
pub use smart_tools::SmartTools;

pub use decoder::Sam;

//! Marks the parts of texts that label names mean, with GLiNER, which learns from a project's
//! annotations.
//!
//! [`Finder`] is a model with its tokenizer; [`Gliner`] is the model that Label Studio talks to.
//!
//! ```
//! use label_studio_training::SpanCheckpoint;
//!
//! let error = SpanCheckpoint::in_folder("an/empty/folder".as_ref()).unwrap_err();
//! assert!(error.to_string().contains("gliner_config.json"));
//! ```

mod controls;
mod decode;
mod finder;
mod model;
mod onnx;
mod options;
mod prompt;
mod samples;
mod training;

pub use controls::{Asked, Controls};
pub use finder::{Finder, Found};
pub use model::Gliner;
pub use options::{Decoding, Options};
pub use samples::{Marked, Sample, samples, word_span};

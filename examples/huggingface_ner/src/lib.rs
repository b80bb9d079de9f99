//! Marks entities in texts with a transformer encoder that learns from a project's annotations.
//!
//! [`Tagger`] is an encoder with its tokenizer; [`HuggingFaceNer`] is the model that Label Studio
//! talks to.
//!
//! ```
//! use huggingface_ner::Tagger;
//!
//! let error = Tagger::read("an/empty/folder".as_ref()).unwrap_err();
//! assert!(error.to_string().contains("config.json"));
//! ```

mod controls;
mod model;
mod options;
mod samples;
mod tagger;
mod training;

pub use controls::Controls;
pub use model::HuggingFaceNer;
pub use options::Options;
pub use samples::{Entity, Sample, samples};
pub use tagger::{Found, Tagger};

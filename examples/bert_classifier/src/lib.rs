//! Classifies texts with a transformer encoder that learns from a project's annotations.
//!
//! [`Classifier`] is an encoder with its tokenizer; [`BertClassifier`] is the model that Label
//! Studio talks to.
//!
//! ```
//! use bert_classifier::Classifier;
//!
//! let error = Classifier::read("an/empty/folder".as_ref()).unwrap_err();
//! assert!(error.to_string().contains("config.json"));
//! ```

mod classifier;
mod model;
mod options;
mod samples;
mod training;

pub use classifier::{Classifier, Guess};
pub use model::BertClassifier;
pub use options::Options;
pub use samples::{Sample, samples};

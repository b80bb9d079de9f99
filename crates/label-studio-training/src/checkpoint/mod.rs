//! The files of a model, as Python's `transformers` reads and writes them.
//!
//! A [`Checkpoint`] is a folder, or the files of a repository on a hub: `config.json`,
//! `model.safetensors` (or its parts) and `tokenizer.json`. [`ModelConfig`] is what the first says.

mod config;
mod deberta;
mod error;
mod files;
mod finetuned;
mod sizes;
mod source;
mod span_config;
mod span_files;
mod tensors;

pub use config::{ModelConfig, Task};
pub use error::CheckpointError;
pub use files::Checkpoint;
pub use finetuned::FinetunedFolder;
pub use sizes::Family;
pub use span_config::SpanConfig;
pub use span_files::{SpanCheckpoint, SpanWeights};

pub(crate) use deberta::{Deberta, Distances};
pub(crate) use sizes::Sizes;
pub(crate) use span_config::SpanSizes;
pub(crate) use tensors::{TensorFiles, facts, read_tensors, write_tensors};

//! The neural networks of a tagger.

mod characters;
mod checkpoint;
mod lstm;
mod words;

pub(crate) use characters::CharacterModel;
pub(crate) use checkpoint::{Checkpoint, Description, Embedding};
pub(crate) use lstm::{BiLstm, Linear};
pub(crate) use words::WordTable;

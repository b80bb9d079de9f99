//! The parsers of a pipeline: they read a text from left to right and choose the best valid action.

mod dependencies;
mod entities;
mod moves;

pub(crate) use dependencies::DependencyParser;
pub(crate) use entities::{EntityParser, FoundEntity, TokenFacts};
pub(crate) use moves::Moves;

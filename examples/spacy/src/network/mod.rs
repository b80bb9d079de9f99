//! The neural networks of a pipeline: token vectors, and scores of a parser's actions.

mod layers;
mod scorer;
mod thinc;
mod tok2vec;
mod vectors;

pub(crate) use layers::Linear;
pub(crate) use scorer::Scorer;
pub(crate) use thinc::ThincModel;
pub(crate) use tok2vec::{LISTENER, Tok2Vec};
pub(crate) use vectors::WordVectors;

//! Encoders with a head: forward, backward, and their parameters.

mod attention;
mod embeddings;
mod error;
mod head;
mod input;
mod layer;
mod linear;
mod load;
mod model;
mod parameters;
mod scratch;
mod workspace;

pub use error::NetworkError;
pub use input::Tokens;
pub use model::Network;
pub use workspace::Workspace;

pub(crate) use model::Mode;
pub(crate) use parameters::{Gradients, Tensor};

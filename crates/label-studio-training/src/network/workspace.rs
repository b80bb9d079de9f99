//! Memory of forward and backward passes, which is used again and again.

use super::{embeddings::EmbeddingMemory, head::HeadMemory, layer::LayerMemory, scratch::Scratch};

/// Memory of forward and backward passes. It grows to what the largest batch needs, and is used
/// again for the next one.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) embeddings: EmbeddingMemory,
    pub(crate) layers: Vec<LayerMemory>,
    pub(crate) head: HeadMemory,
    pub(crate) spare: Vec<f32>,
    pub(crate) scratch: Scratch,
}

//! Memory of forward and backward passes, which is used again and again.

use super::{encoder::EncoderMemory, head::HeadMemory};

/// Memory of forward and backward passes. It grows to what the largest batch needs, and is used
/// again for the next one.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) encoder: EncoderMemory,
    pub(crate) head: HeadMemory,
}

//! Flags of backends that segment by prompts.

use clap::Args;

use super::MaskChoice;
use crate::images::Limits;

/// How objects are found by clicks and rectangles
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Segmentation")]
pub struct SamArgs {
    /// Which of the model's masks to take
    #[arg(long, env = "MASK_CHOICE", default_value = "auto")]
    pub mask_choice: MaskChoice,

    /// Memory for images that have been looked at, in MiB: 4 to 17 each
    #[arg(long, env = "EMBEDDING_CACHE_MB", default_value_t = 1024)]
    pub embedding_cache_mb: usize,

    /// How large images may be
    #[command(flatten)]
    pub limits: Limits,
}

impl SamArgs {
    /// Returns the memory for embeddings in bytes.
    pub fn cache_bytes(&self) -> usize {
        self.embedding_cache_mb.saturating_mul(1 << 20)
    }
}

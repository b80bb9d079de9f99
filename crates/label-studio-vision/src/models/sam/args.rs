//! Flags of backends that segment by prompts.

use std::sync::Arc;

use clap::Args;

use super::{MaskChoice, Predictor, PromptedModel};
use crate::images::ImageReader;

/// Segmentation by clicks and rectangles
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Segmentation")]
pub struct SamArgs {
    /// Which of the masks of the model to use
    #[arg(long, env = "MASK_CHOICE", default_value = "auto")]
    pub mask_choice: MaskChoice,

    /// Memory for embeddings of images, in MiB: 4 to 17 per image
    #[arg(long, env = "EMBEDDING_CACHE_MB", default_value_t = 1024)]
    pub embedding_cache_mb: usize,
}

impl SamArgs {
    /// Creates a predictor for a model.
    pub fn predictor(&self, model: impl PromptedModel, reader: Arc<ImageReader>) -> Predictor {
        let cache_bytes = self.embedding_cache_mb.saturating_mul(1 << 20);
        Predictor::new(model, cache_bytes).with_reader(reader)
    }
}

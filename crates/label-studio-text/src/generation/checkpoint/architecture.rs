//! What a decoder looks like, by its `config.json`.

use super::rope::Rope;
use crate::generation::numbers::Activation;

/// A decoder: one block with switches that all families share.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the families differ in just these switches"
)]
#[derive(Debug, Clone)]
pub(in crate::generation) struct Architecture {
    pub(in crate::generation) sizes: Sizes,
    pub(in crate::generation) names: Names,
    pub(in crate::generation) norm: Norm,
    pub(in crate::generation) block: Block,
    pub(in crate::generation) activation: Activation,
    pub(in crate::generation) is_gated: bool,
    /// Rotary positions that layers refer to.
    pub(in crate::generation) ropes: Vec<Rope>,
    /// Rows of the table of learned positions before the first position; `None` without a table.
    pub(in crate::generation) first_position: Option<usize>,
    pub(in crate::generation) layers: Vec<LayerPlan>,
    /// Whether queries and keys are normalized, head by head.
    pub(in crate::generation) has_head_norms: bool,
    pub(in crate::generation) has_final_norm: bool,
    pub(in crate::generation) is_head_tied: bool,
    pub(in crate::generation) scales: Scales,
    /// Token that an empty prompt starts with.
    pub(in crate::generation) start: Option<u32>,
    /// Tokens that end an answer.
    pub(in crate::generation) ends: Vec<u32>,
}

/// Sizes of a decoder.
#[derive(Debug, Clone, Copy)]
pub(in crate::generation) struct Sizes {
    pub(in crate::generation) n_tokens: usize,
    pub(in crate::generation) width: usize,
    /// Width of the embeddings, which OPT may project.
    pub(in crate::generation) embedding_width: usize,
    pub(in crate::generation) inner_width: usize,
    pub(in crate::generation) n_heads: usize,
    pub(in crate::generation) n_kv_heads: usize,
    pub(in crate::generation) head_width: usize,
    pub(in crate::generation) max_positions: usize,
}

/// How the tensors of a family are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::generation) enum Names {
    Llama,
    Phi3,
    Phi,
    Opt,
    Gpt2,
}

/// A normalization.
#[derive(Debug, Clone, Copy)]
pub(in crate::generation) struct Norm {
    pub(in crate::generation) kind: NormKind,
    pub(in crate::generation) epsilon: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::generation) enum NormKind {
    /// Mean 0 and variance 1.
    Layer,
    /// Mean square 1.
    Rms,
    /// Mean square 1, with weights that are written as the difference from 1.
    RmsPlusOne,
}

/// Where the normalizations of a block are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::generation) enum Block {
    /// Before attention and feed-forward layers.
    Before,
    /// After the sums.
    After,
    /// Once, before attention and feed-forward layers that work side by side.
    Parallel,
    /// Before and after attention and feed-forward layers.
    Around,
}

/// How a layer attends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::generation) struct LayerPlan {
    /// Rotary positions; `None` for a layer without.
    pub(in crate::generation) rope: Option<usize>,
    /// Tokens that are attended to, the own one included; `None` for all.
    pub(in crate::generation) window: Option<usize>,
}

/// Constant factors and bounds.
#[derive(Debug, Clone, Copy)]
pub(in crate::generation) struct Scales {
    pub(in crate::generation) embedding: f32,
    pub(in crate::generation) attention: f32,
    /// Bound of attention scores.
    pub(in crate::generation) attention_cap: Option<f32>,
    /// Bound of logits.
    pub(in crate::generation) logit_cap: Option<f32>,
}

impl Sizes {
    /// Width of all queries of a token.
    pub(in crate::generation) fn query_width(&self) -> usize {
        self.n_heads * self.head_width
    }

    /// Width of all keys, or of all values, of a token.
    pub(in crate::generation) fn key_width(&self) -> usize {
        self.n_kv_heads * self.head_width
    }
}

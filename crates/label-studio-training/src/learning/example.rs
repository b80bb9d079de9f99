//! What a training learns from.

/// A text to learn from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Example {
    /// Ids of its tokens, special ones included.
    pub ids: Vec<u32>,
    /// Its label, or one label per token. `None` is not learned.
    pub labels: Vec<Option<usize>>,
}

//! One head of an attention in one text.

use crate::numbers::{dropout::Dropout, matrix::Matrix};

/// The values that a head of a text works on.
#[derive(Debug)]
pub(crate) struct AttentionHead {
    /// Where its queries, keys and values start.
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    pub(crate) values: usize,
    /// Where its output starts.
    pub(crate) context: usize,
    /// First of its columns in rows that have all heads side by side.
    pub(crate) column: usize,
    pub(crate) n_tokens: usize,
    pub(crate) width: usize,
    /// Distance of rows in the queries, keys and values.
    pub(crate) stride: usize,
    /// Dropout of its probabilities.
    pub(crate) dropout: Dropout,
}

impl AttentionHead {
    /// Returns the queries, keys or values, by where they start.
    pub(crate) fn part<'a>(&self, qkv: &'a [f32], start: usize) -> Matrix<'a> {
        Matrix::strided(&qkv[start..], self.n_tokens, self.width, self.stride)
    }
}

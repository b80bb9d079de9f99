//! A token and its frames.

/// A token that a model heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token {
    /// Number in the vocabulary.
    pub id: usize,
    /// First output frame.
    pub start: usize,
    /// Frame behind the last one.
    pub end: usize,
    /// Probability, from 0 to 1.
    pub score: f64,
}

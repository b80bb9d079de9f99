//! A token with times.

/// A token with times.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedToken {
    /// Its text, with a blank where a word begins.
    pub text: String,
    /// Start in seconds.
    pub start: f64,
    /// End in seconds, not before the start.
    pub end: f64,
    /// Probability, from 0 to 1.
    pub score: f64,
}

//! The tokens of audio in order.

use super::{SegmentOptions, Span, TimedToken, segments};

/// What was said in audio.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transcript {
    /// The tokens in order.
    pub tokens: Vec<TimedToken>,
    /// Length of the audio in seconds.
    pub duration: f64,
}

impl Transcript {
    /// Returns the text, with one blank between words.
    pub fn text(&self) -> String {
        let text: String = self
            .tokens
            .iter()
            .map(|token| token.text.as_str())
            .collect();
        let words: Vec<_> = text.split_whitespace().collect();
        words.join(" ")
    }

    /// Returns the mean probability of the tokens, 0 when there are none.
    pub fn score(&self) -> f64 {
        let sum: f64 = self.tokens.iter().map(|token| token.score).sum();
        sum / self.tokens.len().max(1) as f64
    }

    /// Returns the words with their times and the mean probability of their tokens.
    pub fn words(&self) -> Vec<Span> {
        segments::words(&self.tokens)
    }

    /// Returns parts that end with a sentence, or where nothing is said for some time.
    pub fn segments(&self, options: SegmentOptions) -> Vec<Span> {
        segments::segments(&self.words(), options)
    }
}

//! Tokens with times, and the text, words and segments that they make.

#![expect(
    clippy::cast_precision_loss,
    reason = "transcripts have thousands of tokens"
)]

mod segments;
mod timed_token;
mod vocabulary;
mod whole;

pub use segments::{SegmentOptions, Span};
pub use timed_token::TimedToken;
pub use vocabulary::{Vocabulary, VocabularyError};
pub use whole::Transcript;

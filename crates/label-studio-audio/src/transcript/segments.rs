//! Words and segments.

use super::TimedToken;

/// Ends of sentences.
const SENTENCE_ENDS: [char; 6] = ['.', '?', '!', '。', '？', '！'];

/// A word or a segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its text.
    pub text: String,
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// Mean probability of its tokens, from 0 to 1.
    pub score: f64,
    /// Number of its tokens.
    pub n_tokens: usize,
}

/// Where segments end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentOptions {
    /// Seconds between two words from which they belong to different segments.
    pub gap: f64,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self { gap: 1.0 }
    }
}

impl Span {
    /// Adds a part that follows.
    fn join(&mut self, part: &Self, separator: &str) {
        let n_tokens = self.n_tokens + part.n_tokens;
        let sum = self.score * self.n_tokens as f64 + part.score * part.n_tokens as f64;
        self.text.push_str(separator);
        self.text.push_str(&part.text);
        self.end = self.end.max(part.end);
        self.score = sum / n_tokens.max(1) as f64;
        self.n_tokens = n_tokens;
    }
}

/// Returns the words of tokens: a blank in a token's text begins a new one.
pub(super) fn words(tokens: &[TimedToken]) -> Vec<Span> {
    let mut words: Vec<Span> = Vec::new();
    let mut is_open = false;
    for token in tokens {
        // Blanks have no time of their own, and a token with a blank within has parts of two words.
        let parts = token.text.split(char::is_whitespace).enumerate();
        for (idx, part) in parts {
            is_open &= idx == 0;
            if part.is_empty() {
                continue;
            }
            let part = Span {
                text: part.to_owned(),
                start: token.start,
                end: token.end,
                score: token.score,
                n_tokens: 1,
            };
            match words.last_mut() {
                Some(word) if is_open => word.join(&part, ""),
                _ => words.push(part),
            }
            is_open = true;
        }
    }
    words
}

/// Joins words to segments.
pub(super) fn segments(words: &[Span], options: SegmentOptions) -> Vec<Span> {
    let mut segments: Vec<Span> = Vec::new();
    for word in words {
        match segments.last_mut() {
            Some(segment)
                if !segment.text.ends_with(SENTENCE_ENDS)
                    && word.start - segment.end < options.gap =>
            {
                segment.join(word, " ");
            }
            _ => segments.push(word.clone()),
        }
    }
    segments
}

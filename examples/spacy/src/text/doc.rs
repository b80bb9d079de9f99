//! A text and its tokens.

use super::unicode;

/// A text and its tokens.
#[derive(Debug)]
pub(crate) struct Doc<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token>,
}

/// A token: a word, a punctuation mark, or white space beyond one blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// First byte.
    pub(crate) start: usize,
    /// Byte behind the last one.
    pub(crate) end: usize,
    /// Whether a blank follows that belongs to no token.
    pub(crate) has_space: bool,
    /// The number of the norm that an exception of the tokenizer gives the token.
    pub(crate) norm: Option<u64>,
}

impl Doc<'_> {
    /// Returns the text of a token.
    pub(crate) fn word(&self, token: &Token) -> &str {
        &self.text[token.start..token.end]
    }

    /// Returns for each token whether it is white space.
    pub(crate) fn spaces(&self) -> Vec<bool> {
        let is_space = |token| self.word(token).chars().all(unicode::is_space);
        self.tokens.iter().map(is_space).collect()
    }

    /// Returns for each token whether it is punctuation.
    pub(crate) fn punctuation(&self) -> Vec<bool> {
        let is_punctuation = |token| self.word(token).chars().all(unicode::is_punctuation);
        self.tokens.iter().map(is_punctuation).collect()
    }
}

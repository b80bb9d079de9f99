//! A text as one sequence of tokens.

use super::{Cleaned, Segtok};

/// Characters of a text that are read: more would take minutes.
const MAX_CHARS: usize = 200_000;

/// A text as one sequence of tokens.
#[derive(Debug)]
pub(crate) struct Sentence {
    pub(crate) cleaned: Cleaned,
    pub(crate) tokens: Vec<Token>,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// First character in the cleaned text.
    pub(crate) start: usize,
    /// Character behind the last one.
    pub(crate) end: usize,
}

impl Sentence {
    pub(crate) fn new(text: &str, segtok: &Segtok) -> Self {
        let text = match text.char_indices().nth(MAX_CHARS) {
            None => text,
            Some((end, _)) => {
                tracing::warn!("a text is read up to its character {MAX_CHARS} only");
                &text[..end]
            }
        };
        let cleaned = Cleaned::new(text);
        let mut tokens: Vec<Token> = Vec::new();
        let mut from = 0;
        for word in segtok.words(&cleaned.text()) {
            let word: Vec<char> = word.chars().collect();
            // A word that a hyphen broke over two lines is not in the text as it is.
            let Some(at) = find(&cleaned.characters[from..], &word) else {
                continue;
            };
            let start = from + at;
            from = start + word.len();
            tokens.push(Token {
                text: word.iter().collect(),
                start,
                end: from,
            });
        }
        Self { cleaned, tokens }
    }

    /// Returns how many characters are between a token and the next one.
    pub(crate) fn gap_behind(&self, idx: usize) -> usize {
        match self.tokens.get(idx + 1) {
            Some(next) => next.start - self.tokens[idx].end,
            None => 0,
        }
    }

    /// Returns the text that character models read: the tokens with blanks between them, as many as
    /// there are characters in the text, or one each.
    pub(crate) fn plain(&self, is_tokenized: bool) -> Vec<char> {
        let mut plain = Vec::new();
        for (idx, token) in self.tokens.iter().enumerate() {
            plain.extend(token.text.chars());
            let is_last = idx + 1 == self.tokens.len();
            let n_blanks = match (is_tokenized, is_last) {
                (_, true) => 0,
                (true, false) => 1,
                (false, false) => self.gap_behind(idx),
            };
            plain.extend(std::iter::repeat_n(' ', n_blanks));
        }
        plain
    }
}

fn find(text: &[char], word: &[char]) -> Option<usize> {
    text.windows(word.len().max(1))
        .position(|window| window == word)
}

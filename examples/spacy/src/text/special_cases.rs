//! Words that a tokenizer has exceptions for.

use std::collections::HashMap;

use super::{Doc, Token};

/// A token of an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Bytes of its text.
    pub(super) n_bytes: usize,
    /// Number of its norm.
    pub(super) norm: Option<u64>,
}

/// The exceptions of a tokenizer, by their text.
#[derive(Debug, Default)]
pub(super) struct SpecialCases {
    pieces: HashMap<Box<str>, Vec<Piece>>,
    /// Exceptions that rules for affixes would take apart: their tokens by the first one.
    by_first_token: HashMap<Box<str>, Vec<Vec<Box<str>>>>,
}

impl SpecialCases {
    pub(super) fn new(pieces: HashMap<Box<str>, Vec<Piece>>) -> Self {
        Self {
            pieces,
            by_first_token: HashMap::new(),
        }
    }

    /// Returns the tokens of an exception.
    pub(super) fn get(&self, text: &str) -> Option<&[Piece]> {
        self.pieces.get(text).map(Vec::as_slice)
    }

    /// Returns the texts of all exceptions.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.pieces.keys().map(AsRef::as_ref)
    }

    /// Finds an exception also where rules for affixes have made these tokens of it.
    #[must_use]
    pub(super) fn with_tokens(mut self, tokens: Vec<Box<str>>) -> Self {
        if let Some(first) = tokens.first() {
            let same_start = self.by_first_token.entry(first.clone()).or_default();
            same_start.push(tokens);
        }
        self
    }

    /// Replaces the tokens of exceptions that rules for affixes have taken apart.
    pub(super) fn apply<'a>(&self, doc: Doc<'a>) -> Doc<'a> {
        let matches = longest_first(self.matches(&doc), doc.tokens.len());
        if matches.is_empty() {
            return doc;
        }
        let mut tokens = Vec::with_capacity(doc.tokens.len());
        let mut next = 0;
        for (start, end) in matches {
            let (first, last) = (&doc.tokens[start], &doc.tokens[end - 1]);
            let Some(pieces) = self.get(&doc.text[first.start..last.end]) else {
                continue;
            };
            tokens.extend_from_slice(&doc.tokens[next..start]);
            tokens.extend(placed(pieces, first.start));
            if let Some(token) = tokens.last_mut() {
                token.has_space = last.has_space;
            }
            next = end;
        }
        tokens.extend_from_slice(&doc.tokens[next..]);
        Doc { tokens, ..doc }
    }

    fn matches(&self, doc: &Doc<'_>) -> Vec<(usize, usize)> {
        let mut matches = Vec::new();
        for (start, token) in doc.tokens.iter().enumerate() {
            let Some(sequences) = self.by_first_token.get(doc.word(token)) else {
                continue;
            };
            for sequence in sequences {
                let tokens = doc.tokens.get(start..start + sequence.len());
                let is_equal = tokens.is_some_and(|tokens| {
                    let mut pairs = tokens.iter().zip(sequence);
                    pairs.all(|(token, word)| doc.word(token) == &**word)
                });
                if is_equal {
                    matches.push((start, start + sequence.len()));
                }
            }
        }
        matches
    }
}

/// Puts pieces one behind the other.
pub(super) fn placed(pieces: &[Piece], mut start: usize) -> impl Iterator<Item = Token> {
    pieces.iter().map(move |piece| {
        let token = Token {
            start,
            end: start + piece.n_bytes,
            has_space: false,
            norm: piece.norm,
        };
        start = token.end;
        token
    })
}

/// Leaves out matches whose first or last token is in one that is longer, or as long and before it
/// (`Tokenizer._filter_special_spans`).
fn longest_first(mut matches: Vec<(usize, usize)>, n_tokens: usize) -> Vec<(usize, usize)> {
    if matches.is_empty() {
        return matches;
    }
    matches.sort_by_key(|(start, end)| (std::cmp::Reverse(end - start), *start));
    let mut is_seen = vec![false; n_tokens];
    matches.retain(|(start, end)| {
        let is_free = !is_seen[*start] && !is_seen[end - 1];
        is_seen[*start..*end].fill(true);
        is_free
    });
    matches.sort_unstable();
    matches
}

//! What goes into a network.

use super::NetworkError;
use crate::checkpoint::{Family, Sizes};

/// The tokens of one text, special ones included.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    /// Ids of the tokens.
    pub ids: &'a [u32],
    /// Which text of a pair a token belongs to; may be empty if none belongs to a second one.
    pub type_ids: &'a [u32],
}

/// The tokens of several texts, one after the other: there is no padding.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) ids: Vec<usize>,
    pub(crate) positions: Vec<usize>,
    pub(crate) types: Vec<usize>,
    /// Where each text starts, and where the last one ends.
    pub(crate) bounds: Vec<usize>,
}

impl Packed {
    /// Lays texts one after the other.
    pub(crate) fn new(sizes: &Sizes, texts: &[Tokens<'_>]) -> Result<Self, NetworkError> {
        let max_tokens = sizes.most_tokens();
        let mut packed = Self::default();
        packed.bounds.push(0);
        for (text_idx, text) in texts.iter().enumerate() {
            let n_tokens = text.ids.len();
            if n_tokens == 0 {
                return Err(NetworkError::Empty { text_idx });
            }
            if n_tokens > max_tokens {
                return Err(NetworkError::TooLong {
                    text_idx,
                    n_tokens,
                    max_tokens,
                });
            }
            let mut position = sizes.first_position();
            for (idx, id) in text.ids.iter().enumerate() {
                if *id as usize >= sizes.vocab_size {
                    return Err(NetworkError::UnknownToken {
                        id: *id,
                        vocab_size: sizes.vocab_size,
                    });
                }
                // RoBERTa gives its padding token no position, wherever it is.
                let is_padding =
                    sizes.family == Family::Roberta && *id as usize == sizes.padding_position();
                packed.positions.push(if is_padding {
                    sizes.padding_position()
                } else {
                    position
                });
                position += usize::from(!is_padding);
                packed.ids.push(*id as usize);
                let kind = text.type_ids.get(idx).copied().unwrap_or(0) as usize;
                packed.types.push(if kind < sizes.type_vocab_size {
                    kind
                } else {
                    0
                });
            }
            packed.bounds.push(packed.ids.len());
        }
        Ok(packed)
    }

    pub(crate) fn n_tokens(&self) -> usize {
        self.ids.len()
    }

    /// Returns the length of the longest text.
    pub(crate) fn longest(&self) -> usize {
        let lengths = self.texts().map(|(start, end)| end - start);
        lengths.max().unwrap_or(0)
    }

    /// Returns where each text starts and ends.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.bounds.windows(2).map(|bounds| (bounds[0], bounds[1]))
    }
}

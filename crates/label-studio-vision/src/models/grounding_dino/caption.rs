//! A caption as the model reads it: tokens, and which of them belong together.

use std::{
    ops::{Range, RangeInclusive},
    path::Path,
};

use label_studio_text::tokens::Tokenizer;
use ndarray::{Array2, Array3};

use super::{GroundingDinoError, Prompt};

/// The tokens that end a phrase, or stand around the caption.
const SPECIAL: [&str; 4] = ["[CLS]", "[SEP]", ".", "?"];
/// Slots that the model has for tokens.
pub(super) const N_SLOTS: usize = 256;

/// Turns captions into tokens.
#[derive(Debug)]
pub(super) struct CaptionReader {
    tokenizer: Tokenizer,
    special: [u32; SPECIAL.len()],
}

/// A caption in tokens.
#[derive(Debug, Clone)]
pub(super) struct Caption {
    pub(super) ids: Vec<u32>,
    pub(super) type_ids: Vec<u32>,
    /// Whether each token is a special one.
    is_special: Vec<bool>,
    /// The tokens of each phrase, without what ends it; empty for a phrase that did not fit.
    pub(super) phrases: Vec<Range<usize>>,
}

impl CaptionReader {
    /// Reads the tokenizer; captions are truncated to the model's number of tokens.
    pub(super) fn new(path: &Path, n_tokens: Option<usize>) -> Result<Self, GroundingDinoError> {
        let tokenizer = Tokenizer::from_file(path)?;
        let mut special = [0; SPECIAL.len()];
        for (id, token) in special.iter_mut().zip(SPECIAL) {
            let found = tokenizer.token_id(token);
            *id = found.ok_or_else(|| GroundingDinoError::OtherTokenizer {
                path: path.to_owned(),
                token,
            })?;
        }
        let n_tokens = n_tokens.unwrap_or(N_SLOTS).min(N_SLOTS);
        let tokenizer = tokenizer.with_max_tokens(n_tokens)?;
        Ok(Self { tokenizer, special })
    }

    pub(super) fn read(&self, prompt: &Prompt) -> Result<Caption, GroundingDinoError> {
        let encoding = self.tokenizer.encode(prompt.caption.as_str())?;
        let ids = encoding.get_ids().to_vec();
        let is_special: Vec<_> = ids.iter().map(|id| self.special.contains(id)).collect();
        let offsets = encoding.get_offsets();
        let phrases: Vec<_> = prompt
            .phrases
            .iter()
            .map(|phrase| {
                let is_in = |token: &usize| {
                    !is_special[*token]
                        && offsets[*token].1 > offsets[*token].0
                        && phrase.chars.contains(&offsets[*token].0)
                };
                let mut tokens = (0..ids.len()).filter(is_in);
                let first = tokens.next();
                let last = tokens.next_back().or(first);
                first
                    .zip(last)
                    .map_or(0..0, |(first, last)| first..last + 1)
            })
            .collect();
        let n_lost = phrases.iter().filter(|tokens| tokens.is_empty()).count();
        if n_lost > 0 {
            tracing::warn!(
                n_lost,
                "phrases at the end of a long prompt do not fit and are not looked for"
            );
        }
        Ok(Caption {
            type_ids: encoding.get_type_ids().to_vec(),
            ids,
            is_special,
            phrases,
        })
    }

    /// Returns the words of some tokens, without full stops.
    pub(super) fn words(&self, ids: &[u32]) -> Result<String, GroundingDinoError> {
        let text = self.tokenizer.decode(ids)?.replace('.', " ");
        let words: Vec<_> = text.split_whitespace().collect();
        Ok(words.join(" "))
    }
}

impl Caption {
    /// Returns which tokens attend to each other, and the position of each in its phrase.
    ///
    /// This is `generate_masks_with_special_tokens_and_transfer_map` of the original: the tokens of
    /// a phrase attend to each other and to the token that ends it. Tokens of a phrase without an
    /// end, or with the very last token as its end, attend to themselves only.
    pub(super) fn phrase_masks(&self, n_columns: usize) -> (Array3<bool>, Array2<i64>) {
        let mut mask =
            Array3::from_shape_fn((1, n_columns, n_columns), |(_, row, column)| row == column);
        let mut positions = Array2::zeros((1, n_columns));
        let mut start = 0;
        for end in (0..self.ids.len()).filter(|token| self.is_special[*token]) {
            if end > 0 && end + 1 < n_columns {
                for (row, column) in pairs(start..=end) {
                    mask[[0, row, column]] = true;
                }
                for (position, token) in (0..).zip(start..=end) {
                    positions[[0, token]] = position;
                }
            }
            start = end + 1;
        }
        (mask, positions)
    }
}

fn pairs(tokens: RangeInclusive<usize>) -> impl Iterator<Item = (usize, usize)> {
    let rows = tokens.clone();
    rows.flat_map(move |row| tokens.clone().map(move |column| (row, column)))
}

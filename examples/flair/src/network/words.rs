//! Vectors of words (`WordEmbeddings`).

use std::collections::HashMap;

use label_studio_ml::anyhow::{self, ensure};

use super::Checkpoint;

/// A vector per word, and one for all others.
#[derive(Debug)]
pub(crate) struct WordTable {
    rows: HashMap<String, usize>,
    vectors: Vec<f32>,
    pub(crate) width: usize,
}

impl WordTable {
    /// Reads the table of words, which are those of the description.
    pub(crate) fn read(
        checkpoint: &Checkpoint,
        name: &str,
        words: &[String],
    ) -> anyhow::Result<Self> {
        let vectors = checkpoint.tensor(&format!("{name}.weight"), 2)?;
        ensure!(
            vectors.shape[0] == words.len() + 1,
            "the tensor {name}.weight has {} rows for {} words and all others",
            vectors.shape[0],
            words.len()
        );
        Ok(Self {
            rows: words.iter().cloned().zip(0..).collect(),
            width: vectors.shape[1],
            vectors: vectors.values,
        })
    }

    /// Returns the vector of a word: as it is, in lower case, or with its digits replaced.
    pub(crate) fn get(&self, word: &str) -> &[f32] {
        let lower = word.to_lowercase();
        let replaced = |by: char| {
            let replace = |character: char| if is_decimal(character) { by } else { character };
            lower.chars().map(replace).collect::<String>()
        };
        let row = self.rows.get(word);
        let row = row.or_else(|| self.rows.get(&lower));
        let row = row.or_else(|| self.rows.get(&replaced('#')));
        let row = row.or_else(|| self.rows.get(&replaced('0')));
        let row = row.copied().unwrap_or(self.rows.len());
        &self.vectors[row * self.width..][..self.width]
    }
}

/// Whether `\d` matches: a decimal digit of any script.
fn is_decimal(character: char) -> bool {
    character.is_ascii_digit() || (!character.is_ascii() && character.is_numeric())
}

//! Texts and transcriptions: how many words or characters are to be changed, as jiwer counts them.

use super::{number, ratio};

/// Edits of one or more texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EditCounts {
    /// Insertions, deletions and substitutions.
    pub edits: usize,
    /// Words or characters of the expected texts.
    pub length: usize,
}

impl EditCounts {
    /// Returns the error rate: edits per word or character of the expected texts.
    pub fn rate(self) -> f64 {
        ratio(number(self.edits), number(self.length))
    }

    /// Adds the counts of another text.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            edits: self.edits + other.edits,
            length: self.length + other.length,
        }
    }
}

/// Counts the words to be changed. Blanks separate words, however many.
pub fn word_edits(expected: &str, predicted: &str) -> EditCounts {
    let expected: Vec<_> = expected.split_whitespace().collect();
    let predicted: Vec<_> = predicted.split_whitespace().collect();
    counts(&expected, &predicted)
}

/// Counts the characters to be changed. Blanks at both ends do not count.
pub fn character_edits(expected: &str, predicted: &str) -> EditCounts {
    let expected: Vec<_> = expected.trim().chars().collect();
    let predicted: Vec<_> = predicted.trim().chars().collect();
    counts(&expected, &predicted)
}

fn counts<T: PartialEq>(expected: &[T], predicted: &[T]) -> EditCounts {
    EditCounts {
        edits: distance(expected, predicted),
        length: expected.len(),
    }
}

/// Returns the Levenshtein distance.
fn distance<T: PartialEq>(one: &[T], other: &[T]) -> usize {
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, item) in one.iter().enumerate() {
        let mut left = row + 1;
        let mut diagonal = std::mem::replace(&mut above[0], left);
        for (column, candidate) in other.iter().enumerate() {
            let changed = diagonal + usize::from(item != candidate);
            diagonal = above[column + 1];
            left = changed.min(diagonal + 1).min(left + 1);
            above[column + 1] = left;
        }
    }
    above[other.len()]
}

//! Scores of occurrences.

use clap::ValueEnum;

/// Form of the keyword that an occurrence is compared with
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ScoreMode {
    /// The keyword in lower case, as in the Python original: an exact copy of a keyword in capitals scores 0
    Lowered,
    /// The keyword as it was selected: an exact copy scores 1
    #[default]
    Typed,
}

/// Returns the fraction of the characters of `found` that the keyword has at the same position.
///
/// ```
/// use interactive_substring_matching::{ScoreMode, score};
///
/// assert_eq!(score("Apple", "Apple", ScoreMode::Lowered), 0.8);
/// assert_eq!(score("Apple", "Apple", ScoreMode::Typed), 1.0);
/// ```
pub fn score(keyword: &str, found: &str, mode: ScoreMode) -> f64 {
    let lowered = match mode {
        ScoreMode::Lowered => keyword.to_lowercase(),
        ScoreMode::Typed => keyword.to_owned(),
    };
    let (mut n_equal, mut n_chars) = (0.0, 0.0);
    let mut wanted = lowered.chars();
    for c in found.chars() {
        n_chars += 1.0;
        if wanted.next() == Some(c) {
            n_equal += 1.0;
        }
    }
    if n_chars > 0.0 {
        n_equal / n_chars
    } else {
        0.0
    }
}

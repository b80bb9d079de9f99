//! Finds a literal keyword in a text.

use std::ops::Range;

/// Options of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchOptions {
    /// Whether upper and lower case are distinguished.
    pub case_sensitive: bool,
    /// Whether an occurrence must not begin or end inside a word.
    pub whole_words: bool,
}

/// Returns the occurrences of `keyword` in `text` that do not overlap, from the left, as ranges of
/// code points of `text`.
///
/// The time is linear in the length of both. An empty keyword occurs nowhere.
///
/// ```
/// use interactive_substring_matching::{SearchOptions, occurrences};
///
/// assert_eq!(occurrences("Apple, İpek, apple", "aPPle", SearchOptions::default()), [0..5, 13..18]);
/// ```
pub fn occurrences(text: &str, keyword: &str, options: SearchOptions) -> Vec<Range<usize>> {
    let originals: Vec<char> = text.chars().collect();
    let text = Folded::new(text, options.case_sensitive);
    let keyword = Folded::new(keyword, options.case_sensitive).chars;
    let mut occurrences: Vec<Range<usize>> = Vec::new();
    for start in starts(&text.chars, &keyword) {
        let Some(range) = text.original_range(start..start + keyword.len()) else {
            continue;
        };
        let overlaps = occurrences
            .last()
            .is_some_and(|last| range.start < last.end);
        if !overlaps && (!options.whole_words || is_whole_words(&originals, &range)) {
            occurrences.push(range);
        }
    }
    occurrences
}

/// A text in folded case. One code point may become several, so each has the index of its original.
struct Folded {
    chars: Vec<char>,
    original_idx: Vec<usize>,
}

impl Folded {
    fn new(text: &str, keep_case: bool) -> Self {
        let mut folded = Self {
            chars: Vec::with_capacity(text.len()),
            original_idx: Vec::with_capacity(text.len()),
        };
        for (idx, c) in text.chars().enumerate() {
            if keep_case {
                folded.push(c, idx);
            } else {
                c.to_lowercase()
                    .for_each(|c| folded.push(if c == 'ς' { 'σ' } else { c }, idx));
            }
        }
        folded
    }

    fn push(&mut self, c: char, original_idx: usize) {
        self.chars.push(c);
        self.original_idx.push(original_idx);
    }

    /// Maps a range back to the original text, unless it begins or ends inside a folded code point.
    fn original_range(&self, range: Range<usize>) -> Option<Range<usize>> {
        let (first, last) = (
            self.original_idx[range.start],
            self.original_idx[range.end - 1],
        );
        let is_split_before = range.start > 0 && self.original_idx[range.start - 1] == first;
        let is_split_after = self.original_idx.get(range.end) == Some(&last);
        (!is_split_before && !is_split_after).then_some(first..last + 1)
    }
}

/// Returns whether neither end of a range is inside a word.
fn is_whole_words(text: &[char], range: &Range<usize>) -> bool {
    let is_word = |idx: usize| {
        text.get(idx)
            .is_some_and(|c| c.is_alphanumeric() || *c == '_')
    };
    let is_inside_word = |end: usize| end.checked_sub(1).is_some_and(is_word) && is_word(end);
    !is_inside_word(range.start) && !is_inside_word(range.end)
}

/// Returns every index where `keyword` starts in `text`, including overlapping ones (Knuth, Morris
/// and Pratt 1977).
fn starts(text: &[char], keyword: &[char]) -> Vec<usize> {
    let Some(last_idx) = keyword.len().checked_sub(1) else {
        return Vec::new();
    };
    let borders = borders(keyword);
    let mut starts = Vec::new();
    let mut n_matched = 0;
    for (idx, c) in text.iter().enumerate() {
        n_matched = longest_match(keyword, &borders, n_matched, *c);
        if n_matched == keyword.len() {
            starts.push(idx - last_idx);
            n_matched = borders[last_idx];
        }
    }
    starts
}

/// Returns, for each prefix of `keyword`, the length of the longest shorter prefix that it ends
/// with.
fn borders(keyword: &[char]) -> Vec<usize> {
    let mut borders = vec![0; keyword.len()];
    for idx in 1..keyword.len() {
        borders[idx] = longest_match(keyword, &borders, borders[idx - 1], keyword[idx]);
    }
    borders
}

/// Returns how many characters of `keyword` match after `next`, given that `n_matched` matched
/// before it.
fn longest_match(keyword: &[char], borders: &[usize], mut n_matched: usize, next: char) -> usize {
    while n_matched > 0 && keyword.get(n_matched) != Some(&next) {
        n_matched = borders[n_matched - 1];
    }
    n_matched + usize::from(keyword.get(n_matched) == Some(&next))
}

//! Free text to labels: picks for each line the label that is most similar to it.

use std::collections::HashMap;
use std::ops::Range;

/// Picks the most similar of `labels` for each line of `text`, such as the answer of a language model.
///
/// Similarity is [`similarity_ratio`] with the line first; the first label wins a tie, so a line that resembles none
/// gets the first label. An empty text or an empty list of labels gives an empty list.
///
/// ```
/// use label_studio_sdk::match_labels;
///
/// assert_eq!(match_labels("tech\nsport", &["sports", "politics", "technology"]), ["technology", "sports"]);
/// ```
pub fn match_labels<'a, S: AsRef<str>>(text: &str, labels: &'a [S]) -> Vec<&'a str> {
    let sequences: Vec<_> = labels
        .iter()
        .map(|label| Sequence::new(label.as_ref()))
        .collect();
    let closest = |line: &str| {
        let line: Vec<_> = line.chars().collect();
        let mut best: Option<(usize, f64)> = None;
        for (idx, sequence) in sequences.iter().enumerate() {
            if best.is_none_or(|(_, ratio)| sequence.highest_ratio(&line) > ratio) {
                let ratio = sequence.ratio(&line);
                if best.is_none_or(|(_, highest)| ratio > highest) {
                    best = Some((idx, ratio));
                }
            }
        }
        best.map(|(idx, _)| labels[idx].as_ref())
    };
    lines(text).into_iter().filter_map(closest).collect()
}

/// Measures how similar two texts are, from 0 to 1 (equal, or both empty).
///
/// This is the Ratcliff/Obershelp measure as Python's `difflib.SequenceMatcher(None, a, b).ratio()` computes it, to
/// the last bit: twice the number of matched characters over the number of all characters. Characters that are
/// popular in a `b` of 200 or more characters do not start a match, so the measure is not symmetric.
pub fn similarity_ratio(a: &str, b: &str) -> f64 {
    let a: Vec<_> = a.chars().collect();
    Sequence::new(b).ratio(&a)
}

/// Length from which popular characters are left out of the index.
const POPULAR_FROM: usize = 200;

/// The characters of the second text, indexed by position.
struct Sequence {
    chars: Vec<char>,
    positions: HashMap<char, Vec<usize>>,
}

impl Sequence {
    fn new(text: &str) -> Self {
        let chars: Vec<_> = text.chars().collect();
        let mut positions: HashMap<_, Vec<_>> = HashMap::new();
        for (idx, &char) in chars.iter().enumerate() {
            positions.entry(char).or_default().push(idx);
        }
        if chars.len() >= POPULAR_FROM {
            let most = chars.len() / 100 + 1;
            positions.retain(|_, positions| positions.len() <= most);
        }
        Self { chars, positions }
    }

    /// Bounds the ratio by the lengths alone.
    fn highest_ratio(&self, a: &[char]) -> f64 {
        ratio(a.len().min(self.chars.len()), a.len() + self.chars.len())
    }

    /// Sums the longest match, then the longest matches left and right of it, and so on.
    fn ratio(&self, a: &[char]) -> f64 {
        let mut search = Search::new(a, self);
        let mut n_matched = 0;
        let mut windows = vec![Window {
            a: 0..a.len(),
            b: 0..self.chars.len(),
        }];
        while let Some(Window { a, b }) = windows.pop() {
            if a.is_empty() || b.is_empty() {
                continue;
            }
            let found = search.longest_match(&a, &b);
            if found.len > 0 {
                n_matched += found.len;
                windows.push(Window {
                    a: a.start..found.a,
                    b: b.start..found.b,
                });
                windows.push(Window {
                    a: found.a + found.len..a.end,
                    b: found.b + found.len..b.end,
                });
            }
        }
        ratio(n_matched, a.len() + self.chars.len())
    }
}

/// Part of the first text to compare with part of the second.
struct Window {
    a: Range<usize>,
    b: Range<usize>,
}

/// Where two texts agree: positions in both, and for how long.
struct Match {
    a: usize,
    b: usize,
    len: usize,
}

/// Comparison of one text with a [`Sequence`]; the table is kept from window to window.
struct Search<'a> {
    a: &'a [char],
    b: &'a [char],
    /// Positions in `b` of each character of `a`.
    positions: Vec<&'a [usize]>,
    /// Ends of common substrings at each position of `b`, for the current and for the previous character of `a`.
    ends: [Vec<End>; 2],
    /// Number of the current character; it never repeats, so that cells of earlier windows cannot be mistaken.
    row: usize,
}

/// Length of a common substring, valid for one row.
#[derive(Clone, Copy, Default)]
struct End {
    row: usize,
    len: usize,
}

impl<'a> Search<'a> {
    fn new(a: &'a [char], sequence: &'a Sequence) -> Self {
        let b = &sequence.chars;
        let positions = |char| sequence.positions.get(char).map_or(&[][..], Vec::as_slice);
        Self {
            a,
            b,
            positions: a.iter().map(positions).collect(),
            ends: [
                vec![End::default(); b.len() + 1],
                vec![End::default(); b.len() + 1],
            ],
            row: 0,
        }
    }

    /// Finds the longest common substring, the earliest in `a` and then in `b` of equals, and extends it over popular characters.
    fn longest_match(&mut self, a: &Range<usize>, b: &Range<usize>) -> Match {
        let mut best = Match {
            a: a.start,
            b: b.start,
            len: 0,
        };
        self.row += 1;
        for a_idx in a.clone() {
            self.row += 1;
            let row = self.row;
            let positions = self.positions[a_idx];
            let first = positions.partition_point(|&position| position < b.start);
            for &b_idx in positions[first..]
                .iter()
                .take_while(|&&position| position < b.end)
            {
                let previous = self.ends[(row - 1) % 2][b_idx];
                let len = if previous.row == row - 1 {
                    previous.len + 1
                } else {
                    1
                };
                self.ends[row % 2][b_idx + 1] = End { row, len };
                if len > best.len {
                    best = Match {
                        a: a_idx + 1 - len,
                        b: b_idx + 1 - len,
                        len,
                    };
                }
            }
        }
        while best.a > a.start && best.b > b.start && self.a[best.a - 1] == self.b[best.b - 1] {
            best = Match {
                a: best.a - 1,
                b: best.b - 1,
                len: best.len + 1,
            };
        }
        let end = |best: &Match| (best.a + best.len, best.b + best.len);
        while end(&best).0 < a.end
            && end(&best).1 < b.end
            && self.a[end(&best).0] == self.b[end(&best).1]
        {
            best.len += 1;
        }
        best
    }
}

#[expect(clippy::cast_precision_loss, reason = "no text has 2^53 characters")]
fn ratio(n_matched: usize, n_chars: usize) -> f64 {
    if n_chars == 0 {
        return 1.0;
    }
    2.0 * n_matched as f64 / n_chars as f64
}

/// Splits a text into lines where Python's `str.splitlines` does.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_line_end).unwrap_or(rest.len());
        let (line, ended) = rest.split_at(end);
        lines.push(line);
        let after = ended
            .strip_prefix("\r\n")
            .or_else(|| ended.strip_prefix(is_line_end));
        rest = after.unwrap_or_default();
    }
    lines
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

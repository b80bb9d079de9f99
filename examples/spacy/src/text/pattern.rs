//! Regular expressions of a tokenizer.

use label_studio_ml::anyhow::{self, Context};

use super::python_regex::{Alternative, translate};

/// Steps after which an expression gives up on a word.
const MAX_STEPS: usize = 200_000;
/// A compiled expression may have so many bytes: classes of all letters are large.
const MAX_BYTES: usize = 64 << 20;

/// A regular expression of Python. Alternatives that look around their match run one by one, those
/// between them together, which is much faster.
#[derive(Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Plain(regex::Regex),
    LooksAround(Box<fancy_regex::Regex>),
}

impl Pattern {
    /// Compiles an expression with which to search.
    pub(super) fn new(pattern: &str) -> anyhow::Result<Self> {
        Self::compile(pattern, "")
    }

    /// Compiles an expression that has to match at the start.
    pub(super) fn at_start(pattern: &str) -> anyhow::Result<Self> {
        Self::compile(pattern, r"\A")
    }

    fn compile(pattern: &str, anchor: &str) -> anyhow::Result<Self> {
        let named = || format!("the regular expression {}", start_of(pattern));
        let alternatives = translate(pattern).with_context(named)?;
        let mut parts = Vec::new();
        for group in alternatives.chunk_by(|a, b| !a.looks_around && !b.looks_around) {
            let patterns: Vec<_> = group
                .iter()
                .map(|Alternative { pattern, .. }| format!("{anchor}(?:{pattern})"))
                .collect();
            let pattern = patterns.join("|");
            parts.push(if group[0].looks_around {
                let regex = fancy_regex::RegexBuilder::new(&pattern)
                    .backtrack_limit(MAX_STEPS)
                    .delegate_size_limit(MAX_BYTES)
                    .build();
                Part::LooksAround(Box::new(regex.with_context(named)?))
            } else {
                let regex = regex::RegexBuilder::new(&pattern)
                    .size_limit(MAX_BYTES)
                    .build();
                Part::Plain(regex.with_context(named)?)
            });
        }
        Ok(Self { parts })
    }

    /// Finds the first match from a byte on, as the bytes where it starts and ends.
    pub(super) fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let matches = self.parts.iter().filter_map(|part| part.find(text, from));
        // Of several that start together the first one is returned.
        matches.min_by_key(|(start, _)| *start)
    }

    /// Returns whether the expression is found at all.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.parts.iter().any(|part| part.find(text, 0).is_some())
    }

    /// Finds all matches, which do not overlap.
    pub(super) fn find_all(&self, text: &str) -> Vec<(usize, usize)> {
        let mut matches = Vec::new();
        let mut from = 0;
        while let Some((start, end)) = self.find(text, from) {
            matches.push((start, end));
            from = if end > start {
                end
            } else {
                match text[end..].chars().next() {
                    Some(next) => end + next.len_utf8(),
                    None => break,
                }
            };
        }
        matches
    }
}

impl Part {
    fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        match self {
            Self::Plain(regex) => {
                let found = regex.find_at(text, from)?;
                Some((found.start(), found.end()))
            }
            // An expression that needs too many steps does not match: the word stays whole.
            Self::LooksAround(regex) => {
                let found = regex.find_from_pos(text, from).ok().flatten()?;
                Some((found.start(), found.end()))
            }
        }
    }
}

fn start_of(pattern: &str) -> String {
    const MAX_CHARS: usize = 60;
    match pattern.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}...", &pattern[..end]),
        None => pattern.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn the_first_alternative_counts_where_several_start_together() {
        let find = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().find(text, 0);
        assert_eq!(find("a|ab", "xab"), Some((1, 2)));
        assert_eq!(find("ab|a(?=b)|abc", "xabc"), Some((1, 3)));
        assert_eq!(find("a(?=b)|abc", "xabc"), Some((1, 2)));
        assert_eq!(find("c|(?<=a)b|a(?!b)", "abc"), Some((1, 2)));
        assert_eq!(find("y", "abc"), None);
    }

    #[test]
    fn finds_all_and_at_the_start_only() {
        let pattern = Pattern::new(r"-|(?<=[0-9])\+(?=[0-9])").unwrap();
        assert_eq!(pattern.find_all("-é1+2-+"), [(0, 1), (4, 5), (6, 7)]);
        let at_start = Pattern::at_start("b|c(?=d)").unwrap();
        assert!(at_start.is_in("bc") && at_start.is_in("cd"));
        assert!(!at_start.is_in("abcd") && !at_start.is_in("ca"));
    }
}

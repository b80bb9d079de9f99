//! Parts of a text to tags of tokens.

/// A labelled part of a text to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its label.
    pub label: &'a str,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
}

/// What a token is to be learned as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag<'a> {
    /// It belongs to no part.
    Outside,
    /// First token of a part with this label.
    Begin(&'a str),
    /// Another token of a part with this label.
    Inside(&'a str),
}

impl Tag<'_> {
    /// Returns the tag as taggers name it: `O`, `B-PER`, `I-PER`.
    pub fn name(self) -> String {
        match self {
            Self::Outside => "O".to_owned(),
            Self::Begin(label) => format!("B-{label}"),
            Self::Inside(label) => format!("I-{label}"),
        }
    }
}

/// Tags tokens, given as their first character and the one behind them. Tokens without characters,
/// such as special ones, have no tag. Where parts overlap, the one that starts first counts, and of
/// two that start together the longer one.
pub fn tags<'a>(parts: &[Part<'a>], tokens: &[(usize, usize)]) -> Vec<Option<Tag<'a>>> {
    let mut sorted: Vec<Part<'a>> = parts.to_vec();
    sorted.sort_by_key(|part| (part.start, std::cmp::Reverse(part.end)));
    let mut current = 0;
    let mut has_begun = false;
    let mut tag = |(start, end): (usize, usize)| {
        if start >= end {
            return None;
        }
        while current < sorted.len() && sorted[current].end <= start {
            current += 1;
            has_begun = false;
        }
        let Some(part) = sorted.get(current).filter(|part| part.start < end) else {
            return Some(Tag::Outside);
        };
        if has_begun {
            return Some(Tag::Inside(part.label));
        }
        has_begun = true;
        Some(Tag::Begin(part.label))
    };
    tokens.iter().map(|token| tag(*token)).collect()
}

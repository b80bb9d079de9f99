//! Labels of tokens to parts of a text.

/// Label of a token that belongs to no part.
const OUTSIDE: &str = "O";

/// What a tagger says of a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenLabel<'a> {
    /// Its label: `O`, or a name that `B-` or `I-` may precede.
    pub label: &'a str,
    /// Probability of the label.
    pub score: f64,
    /// First character of the token.
    pub start: usize,
    /// Character behind the token.
    pub end: usize,
}

/// A part of a text and its label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span<'a> {
    /// The label without `B-` or `I-`.
    pub label: &'a str,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
    /// Mean of the tokens' scores.
    pub score: f64,
}

/// Joins consecutive tokens of one label. A new part starts at `B-`, unless the token goes on with
/// the word of the token before, and behind a token that is outside.
///
/// Tokens without characters, such as special ones, are left out.
pub fn spans<'a>(tokens: &[TokenLabel<'a>]) -> Vec<Span<'a>> {
    let mut spans: Vec<Span<'a>> = Vec::new();
    let mut n_tokens = 0_u32;
    let mut is_open = false;
    for token in tokens.iter().filter(|token| token.end > token.start) {
        if token.label == OUTSIDE {
            is_open = false;
            continue;
        }
        let (prefix, label) = split_prefix(token.label);
        match spans.last_mut() {
            Some(last)
                if is_open
                    && last.label == label
                    && (prefix != Some('B') || token.start <= last.end) =>
            {
                last.end = last.end.max(token.end);
                n_tokens += 1;
                last.score += (token.score - last.score) / f64::from(n_tokens);
            }
            _ => {
                spans.push(Span {
                    label,
                    start: token.start,
                    end: token.end,
                    score: token.score,
                });
                n_tokens = 1;
                is_open = true;
            }
        }
    }
    spans
}

/// Splits `B-` or `I-` from a label.
pub fn split_prefix(label: &str) -> (Option<char>, &str) {
    match label.split_at_checked(2) {
        Some(("B-", name)) => (Some('B'), name),
        Some(("I-", name)) => (Some('I'), name),
        _ => (None, label),
    }
}

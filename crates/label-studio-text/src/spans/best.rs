//! The best of several spans that exclude each other.

/// A span of words with a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordSpan {
    /// First word.
    pub start: usize,
    /// Last word.
    pub last: usize,
    /// Number of the label.
    pub label: usize,
    /// Its probability.
    pub score: f64,
}

/// Which spans may stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    /// One within another.
    pub nested: bool,
    /// The same words with several labels.
    pub several_labels: bool,
}

/// Keeps the spans that no better one excludes, in the order of the text. Of equally good ones the
/// first stays.
pub fn best_spans(mut spans: Vec<WordSpan>, beside: Beside) -> Vec<WordSpan> {
    spans.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<WordSpan> = Vec::new();
    for span in spans {
        if !kept.iter().any(|better| excludes(better, &span, beside)) {
            kept.push(span);
        }
    }
    kept.sort_by_key(|span| span.start);
    kept
}

fn excludes(one: &WordSpan, other: &WordSpan, beside: Beside) -> bool {
    if (one.start, one.last) == (other.start, other.last) {
        return !beside.several_labels;
    }
    if one.start > other.last || other.start > one.last {
        return false;
    }
    let contains =
        |outer: &WordSpan, inner: &WordSpan| outer.start <= inner.start && inner.last <= outer.last;
    !(beside.nested && (contains(one, other) || contains(other, one)))
}

//! Spans of texts and of time: which were found exactly, and which at least in part.

use std::collections::BTreeSet;

use super::{LabelCounts, choices::Counts};

/// A labelled part of a text (in characters) or of a recording (in seconds).
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Where it begins.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// Its label.
    pub label: String,
}

impl Span {
    fn is_same(&self, other: &Self) -> bool {
        self.label == other.label
            && self.start.total_cmp(&other.start).is_eq()
            && self.end.total_cmp(&other.end).is_eq()
    }

    fn overlap(&self, other: &Self) -> f64 {
        (self.end.min(other.end) - self.start.max(other.start)).max(0.0)
    }

    fn iou(&self, other: &Self) -> f64 {
        let overlap = self.overlap(other);
        let union = (self.end - self.start) + (other.end - other.start) - overlap;
        super::ratio(overlap, union)
    }
}

/// Counts spans that are predicted with exactly the expected start, end and label, as seqeval counts entities: a span that is
/// given twice counts once.
pub fn exact_counts(expected: &[Span], predicted: &[Span]) -> LabelCounts {
    let (expected, predicted) = (distinct(expected), distinct(predicted));
    let is_in = |span: &Span, list: &[&Span]| list.iter().any(|other| other.is_same(span));
    count(&expected, &predicted, is_in)
}

/// Counts spans that overlap one of the same label on the other side.
pub fn overlap_counts(expected: &[Span], predicted: &[Span]) -> LabelCounts {
    let (expected, predicted) = (distinct(expected), distinct(predicted));
    let touches = |span: &Span, list: &[&Span]| {
        let mut same = list.iter().filter(|other| other.label == span.label);
        same.any(|other| other.overlap(span) > 0.0)
    };
    let mut all = LabelCounts::default();
    // Found is counted among the expected, so that recall is right; precision counts the predicted that touch nothing.
    for label in labels(&expected, &predicted) {
        let n = |spans: &[&Span], others: &[&Span], is_touching: bool| {
            let spans = spans.iter().filter(|span| span.label == label);
            spans
                .filter(|span| touches(span, others) == is_touching)
                .count()
        };
        all.add(
            label,
            Counts {
                true_positives: n(&expected, &predicted, true),
                false_positives: n(&predicted, &expected, false),
                false_negatives: n(&expected, &predicted, false),
            },
        );
    }
    all
}

/// Counts segments that are matched one to one with an expected segment of their label, at an intersection over union of at
/// least `min_iou`. The pairs of the largest overlap are matched first.
pub fn segment_counts(expected: &[Span], predicted: &[Span], min_iou: f64) -> LabelCounts {
    let mut pairs = Vec::new();
    for (row, one) in expected.iter().enumerate() {
        for (column, other) in predicted.iter().enumerate() {
            let iou = one.iou(other);
            if one.label == other.label && iou >= min_iou {
                pairs.push((iou, row, column));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut is_found = vec![false; expected.len()];
    let mut is_matched = vec![false; predicted.len()];
    for (_, row, column) in pairs {
        if !is_found[row] && !is_matched[column] {
            is_found[row] = true;
            is_matched[column] = true;
        }
    }
    let mut all = LabelCounts::default();
    for (span, is_found) in expected.iter().zip(is_found) {
        all.add(
            &span.label,
            Counts {
                true_positives: usize::from(is_found),
                false_negatives: usize::from(!is_found),
                ..Counts::default()
            },
        );
    }
    for (span, is_matched) in predicted.iter().zip(is_matched) {
        all.add(
            &span.label,
            Counts {
                false_positives: usize::from(!is_matched),
                ..Counts::default()
            },
        );
    }
    all
}

fn count(
    expected: &[&Span],
    predicted: &[&Span],
    is_in: impl Fn(&Span, &[&Span]) -> bool,
) -> LabelCounts {
    let mut all = LabelCounts::default();
    for span in expected {
        let is_found = is_in(span, predicted);
        all.add(
            &span.label,
            Counts {
                true_positives: usize::from(is_found),
                false_negatives: usize::from(!is_found),
                ..Counts::default()
            },
        );
    }
    for span in predicted {
        all.add(
            &span.label,
            Counts {
                false_positives: usize::from(!is_in(span, expected)),
                ..Counts::default()
            },
        );
    }
    all
}

fn labels<'a>(expected: &[&'a Span], predicted: &[&'a Span]) -> BTreeSet<&'a str> {
    let spans = expected.iter().chain(predicted);
    spans.map(|span| span.label.as_str()).collect()
}

fn distinct(spans: &[Span]) -> Vec<&Span> {
    let mut kept: Vec<&Span> = Vec::with_capacity(spans.len());
    for span in spans {
        if !kept.iter().any(|other| other.is_same(span)) {
            kept.push(span);
        }
    }
    kept
}

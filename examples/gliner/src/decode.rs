//! Logits of spans to the spans that are kept.

use std::collections::BTreeMap;

use label_studio_text::spans::{Beside, WordSpan, best_spans};

use crate::Decoding;

/// Logits of a window of a text.
#[derive(Debug)]
pub(crate) struct Scored<'a> {
    /// Number of the window's first word.
    pub(crate) first_word: usize,
    pub(crate) n_words: usize,
    /// One row per span, by its first and then by its last word.
    pub(crate) logits: &'a [f32],
}

impl Decoding {
    /// Keeps the spans of a text whose probability is above the threshold and that no better one
    /// excludes. A span that is in two windows has the higher of its probabilities.
    pub(crate) fn keep<'a>(
        &self,
        windows: impl IntoIterator<Item = Scored<'a>>,
        (max_width, n_labels): (usize, usize),
    ) -> Vec<WordSpan> {
        let mut scores: BTreeMap<(usize, usize, usize), f64> = BTreeMap::new();
        for window in windows {
            let rows = window.logits.chunks_exact(n_labels);
            for ((start, last), row) in spans(window.n_words, max_width).zip(rows) {
                for (label, logit) in row.iter().enumerate() {
                    let score = sigmoid(*logit);
                    if score > self.threshold {
                        let (start, last) = (window.first_word + start, window.first_word + last);
                        let best = scores.entry((start, last, label)).or_default();
                        *best = best.max(score);
                    }
                }
            }
        }
        let spans = scores
            .into_iter()
            .map(|((start, last, label), score)| WordSpan {
                start,
                last,
                label,
                score,
            });
        let beside = Beside {
            nested: !self.flat_ner,
            several_labels: self.multi_label,
        };
        best_spans(spans.collect(), beside)
    }
}

/// Returns the first and the last word of each span that a model scores.
pub(crate) fn spans(n_words: usize, max_width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_words).flat_map(move |start| {
        let end = n_words.min(start.saturating_add(max_width));
        (start..end).map(move |last| (start, last))
    })
}

fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + f64::from(-logit).exp())
}

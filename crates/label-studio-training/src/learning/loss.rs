//! Cross-entropy.

use crate::numbers::softmax::softmax;

/// Weight of the rows of each label, if all count the same.
pub(crate) const EQUAL: &dyn Fn(usize) -> f32 = &|_| 1.0;

/// Computes the mean cross-entropy of rows of logits, where a row counts as much as its label, and
/// replaces `gradient` by its gradient times `scale`. Rows without a label count for nothing.
pub(crate) fn cross_entropy(
    logits: &[f32],
    (labels, weight): (&[Option<usize>], &dyn Fn(usize) -> f32),
    gradient: &mut Vec<f32>,
    scale: f32,
) -> f64 {
    gradient.clear();
    gradient.extend_from_slice(logits);
    let weights = labels.iter().flatten().map(|label| weight(*label));
    let sum_of_weights: f64 = weights.map(f64::from).sum();
    if sum_of_weights <= 0.0 {
        gradient.fill(0.0);
        return 0.0;
    }
    let width = logits.len() / labels.len();
    softmax(gradient, width);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a factor for single precision"
    )]
    let factor = (f64::from(scale) / sum_of_weights) as f32;
    let mut loss = 0.0;
    let rows = gradient
        .chunks_exact_mut(width)
        .zip(logits.chunks_exact(width));
    for ((row, logits), label) in rows.zip(labels) {
        let Some(label) = *label else {
            row.fill(0.0);
            continue;
        };
        let weight = weight(label);
        loss += f64::from(weight) * negative_log_likelihood(logits, label);
        row[label] -= 1.0;
        for value in row {
            *value *= factor * weight;
        }
    }
    loss / sum_of_weights
}

/// Returns minus the logarithm of a label's probability.
pub(crate) fn negative_log_likelihood(logits: &[f32], label: usize) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|logit| f64::from(logit - largest).exp())
        .sum();
    sum.ln() - f64::from(logits[label] - largest)
}

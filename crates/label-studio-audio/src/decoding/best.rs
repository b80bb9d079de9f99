//! The best class of a row of scores.

use ndarray::ArrayView1;

/// Returns the first position of the largest value; 0 if there is none.
pub(super) fn best(row: &ArrayView1<'_, f32>) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (idx, &value) in row.iter().enumerate() {
        if value > best.1 {
            best = (idx, value);
        }
    }
    best.0
}

/// Returns the probability of a class: that of the softmax over the row, which leaves rows that are
/// logarithms of probabilities already as they are.
pub(super) fn probability(row: &ArrayView1<'_, f32>, class: usize) -> f64 {
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = row
        .iter()
        .map(|&value| (f64::from(value) - largest).exp())
        .sum();
    let score = (f64::from(row[class]) - largest).exp() / sum;
    if score.is_finite() { score } else { 0.0 }
}

//! From a recogniser's raw scores to probabilities.

use ndarray::{Array2, ArrayView2};

/// Returns the softmax of each row over the classes that `is_allowed` lists; other classes, and
/// those beyond the list, get 0.
///
/// That equals a softmax over all classes whose other columns are set to 0 and whose rows are
/// scaled to a sum of 1 again, as EasyOCR does it for characters of other languages.
pub fn probabilities(logits: &ArrayView2<'_, f32>, is_allowed: &[bool]) -> Array2<f32> {
    let mut probabilities = Array2::zeros(logits.dim());
    let allowed = |class: usize| is_allowed.get(class).copied().unwrap_or(false);
    for (logits, mut row) in logits.outer_iter().zip(probabilities.outer_iter_mut()) {
        let largest = (logits.iter().enumerate())
            .filter(|(class, _)| allowed(*class))
            .fold(f32::NEG_INFINITY, |largest, (_, &value)| largest.max(value));
        for (class, (target, &value)) in row.iter_mut().zip(logits).enumerate() {
            if allowed(class) {
                *target = (value - largest).exp();
            }
        }
        let sum: f32 = row.sum();
        if sum > 0.0 {
            row.mapv_inplace(|value| value / sum);
        }
    }
    probabilities
}

//! Softmax of rows.

use pulp::Arch;

use super::{
    functions::exp,
    rows::{N_LANES, sum_pairs},
};

/// Replaces every row by its softmax.
pub(crate) fn softmax(matrix: &mut [f32], width: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in matrix.chunks_exact_mut(width) {
                let largest = largest(row);
                for value in row.iter_mut() {
                    *value = exp(*value - largest);
                }
                let scale = 1.0 / super::rows::sum(row, |x| x);
                for value in row {
                    *value *= scale;
                }
            }
        },
    );
}

/// Replaces the gradient of softmaxes by the gradient of their arguments.
pub(crate) fn softmax_backward(probabilities: &[f32], gradient: &mut [f32], width: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let probabilities = probabilities.chunks_exact(width);
            for (row, probabilities) in gradient.chunks_exact_mut(width).zip(probabilities) {
                let mean = sum_pairs(row, probabilities, |x, p| x * p);
                for (value, probability) in row.iter_mut().zip(probabilities) {
                    *value = (*value - mean) * probability;
                }
            }
        },
    );
}

#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; N_LANES];
    let chunks = row.chunks_exact(N_LANES);
    let tail = chunks.remainder().iter().copied();
    let tail = tail.fold(f32::NEG_INFINITY, f32::max);
    for chunk in chunks {
        for lane in 0..N_LANES {
            lanes[lane] = if chunk[lane] > lanes[lane] {
                chunk[lane]
            } else {
                lanes[lane]
            };
        }
    }
    lanes.into_iter().fold(tail, f32::max)
}

//! Stretching of score maps as PyTorch's `interpolate(mode="bilinear", align_corners=False)` does it.

use ndarray::{Array2, ArrayView2};

/// Where an output pixel lies between two input pixels.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

/// Stretches `scores` to `width` x `height`.
pub fn resize_scores(scores: &ArrayView2<'_, f32>, width: usize, height: usize) -> Array2<f32> {
    let mut values = Vec::with_capacity(width * height);
    for_each_row(scores, width, height, |row| values.extend_from_slice(row));
    Array2::from_shape_vec((height, width), values).expect("there are height rows of width values")
}

/// Stretches `scores` to `width` x `height` and shows one row at a time. Nothing comes of an empty map but zeros.
pub(super) fn for_each_row(
    scores: &ArrayView2<'_, f32>,
    width: usize,
    height: usize,
    mut visit: impl FnMut(&[f32]),
) {
    let (n_rows, n_columns) = scores.dim();
    let mut stretched = vec![0.0; width];
    if n_rows == 0 || n_columns == 0 {
        for _ in 0..height {
            visit(&stretched);
        }
        return;
    }
    let columns = taps(n_columns, width);
    let mut mixed = vec![0.0; n_columns];
    for row in taps(n_rows, height) {
        let (above, below) = (scores.row(row.first), scores.row(row.second));
        for ((mixed, above), below) in mixed.iter_mut().zip(above).zip(below) {
            *mixed = above + (below - above) * row.weight;
        }
        for (value, column) in stretched.iter_mut().zip(&columns) {
            let (left, right) = (mixed[column.first], mixed[column.second]);
            *value = left + (right - left) * column.weight;
        }
        visit(&stretched);
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of images, and positions within them"
)]
fn taps(n_from: usize, n_to: usize) -> Vec<Tap> {
    let scale = n_from as f64 / n_to as f64;
    let tap = |idx: usize| {
        let position = ((idx as f64 + 0.5) * scale - 0.5).max(0.0);
        let first = (position as usize).min(n_from - 1);
        Tap {
            first,
            second: (first + 1).min(n_from - 1),
            weight: (position - first as f64).min(1.0) as f32,
        }
    };
    (0..n_to).map(tap).collect()
}

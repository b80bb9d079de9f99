//! Stretching of score maps as PyTorch's `interpolate(mode="bilinear", align_corners=False)` does
//! it.

use ndarray::{Array2, ArrayView2};

/// The two input positions that an output position lies between, and the weight of the second.
type Tap = (usize, usize, f32);

/// Stretches `scores` to `width` x `height`.
pub fn resize_scores(scores: &ArrayView2<'_, f32>, width: usize, height: usize) -> Array2<f32> {
    let mut values = Vec::with_capacity(width * height);
    for_each_row(scores, width, height, |row| values.extend_from_slice(row));
    Array2::from_shape_vec((height, width), values).expect("there are height rows of width values")
}

/// Stretches `scores` to a `full` width and height, and returns the top left `part` of that.
pub fn stretch(
    scores: &ArrayView2<'_, f32>,
    full: (usize, usize),
    part: (usize, usize),
) -> Array2<f32> {
    let (width, height) = (part.0.min(full.0), part.1.min(full.1));
    let mut values = Vec::with_capacity(width * height);
    let taps = (
        torch_taps(scores.ncols(), full.0),
        torch_taps(scores.nrows(), full.1),
    );
    visit_rows(scores, taps.0.take(width), taps.1.take(height), |row| {
        values.extend_from_slice(row);
    });
    Array2::from_shape_vec((height, width), values).expect("there are height rows of width values")
}

/// Stretches `scores` to `width` x `height` and shows one row at a time. Nothing comes of an empty
/// map but zeros.
pub(super) fn for_each_row(
    scores: &ArrayView2<'_, f32>,
    width: usize,
    height: usize,
    mut visit: impl FnMut(&[f32]),
) {
    let (n_rows, n_columns) = scores.dim();
    if n_rows == 0 || n_columns == 0 {
        let nothing = vec![0.0; width];
        return (0..height).for_each(|_| visit(&nothing));
    }
    visit_rows(
        scores,
        torch_taps(n_columns, width),
        torch_taps(n_rows, height),
        visit,
    );
}

fn visit_rows(
    scores: &ArrayView2<'_, f32>,
    columns: impl Iterator<Item = Tap>,
    rows: impl Iterator<Item = Tap>,
    mut visit: impl FnMut(&[f32]),
) {
    let columns: Vec<Tap> = columns.collect();
    let mut mixed = vec![0.0; scores.ncols()];
    let mut stretched = vec![0.0; columns.len()];
    for (top, bottom, weight) in rows {
        let (above, below) = (scores.row(top), scores.row(bottom));
        for ((mixed, above), below) in mixed.iter_mut().zip(above).zip(below) {
            *mixed = above + (below - above) * weight;
        }
        for (value, &(left, right, weight)) in stretched.iter_mut().zip(&columns) {
            *value = mixed[left] + (mixed[right] - mixed[left]) * weight;
        }
        visit(&stretched);
    }
}

/// Positions in the single precision that the library computes them in.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions within an image; the truncation is the floor"
)]
fn torch_taps(old: usize, new: usize) -> impl Iterator<Item = Tap> {
    let scale = old as f32 / new as f32;
    (0..new).map(move |position| {
        let source = (scale * (position as f32 + 0.5) - 0.5).max(0.0);
        let first = (source as usize).min(old - 1);
        (first, (first + 1).min(old - 1), source - first as f32)
    })
}

//! Mean of a map inside a box.

use ndarray::ArrayView2;

use crate::boxes::Quad;

/// Returns the mean of the values inside a convex box and on its outline, whose corners are rounded
/// down to whole pixels, as with OpenCV's `fillPoly`; 0 outside of the map.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "positions within a map"
)]
pub(super) fn mean_inside(values: &ArrayView2<'_, f32>, quad: &Quad) -> f64 {
    let (n_rows, n_columns) = values.dim();
    if n_rows == 0 || n_columns == 0 {
        return 0.0;
    }
    let last = |n: usize| (n - 1) as f32;
    let [x1, y1, x2, y2] = quad.bounds();
    let left = x1.floor().clamp(0.0, last(n_columns));
    let right = x2.ceil().clamp(0.0, last(n_columns));
    let top = y1.floor().clamp(0.0, last(n_rows));
    let bottom = y2.ceil().clamp(0.0, last(n_rows));
    // Corners are cut relative to the part of the map that is looked at.
    let corners = quad.0.map(|[x, y]| ((x - left) as i64, (y - top) as i64));
    let (width, height) = ((right - left) as i64, (bottom - top) as i64);

    let (mut sum, mut n_values) = (0.0, 0_usize);
    for y in 0..=height {
        let ends = (0..4).filter_map(|idx| line_at(corners[idx], corners[(idx + 1) % 4], y));
        let Some((first, last)) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            continue;
        };
        let (first, last) = (first.clamp(0, width), last.clamp(0, width));
        let n_inside = (last - first + 1) as usize;
        let row = values.row(top as usize + y as usize);
        let inside = row
            .iter()
            .skip(left as usize + first as usize)
            .take(n_inside);
        sum += inside.copied().map(f64::from).sum::<f64>();
        n_values += n_inside;
    }
    if n_values == 0 {
        return 0.0;
    }
    sum / n_values as f64
}

/// Returns the first and the last column in which a line on whole pixels (Bresenham's, which
/// rounds halves towards its left end) is in the row `y`.
fn line_at(a: (i64, i64), b: (i64, i64), y: i64) -> Option<(i64, i64)> {
    let (start, end) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    let (dx, dy) = (end.0 - start.0, (end.1 - start.1).abs());
    let down = (y - start.1) * (end.1 - start.1).signum();
    if down < 0 || down > dy || (dy == 0 && y != start.1) {
        return None;
    }
    if dy == 0 {
        return Some((start.0, end.0));
    }
    if dx <= dy {
        let x = start.0 + ceil_div(2 * down * dx - dy, 2 * dy);
        return Some((x, x));
    }
    // The columns i for which ceil(i dy / dx - 1/2) is `down`.
    let first = (2 * down - 1) * dx / (2 * dy) + 1;
    let last = (2 * down + 1) * dx / (2 * dy);
    let first = if down == 0 { 0 } else { first };
    Some((start.0 + first.min(dx), start.0 + last.min(dx)))
}

/// Divides and rounds up; `divisor` is positive.
fn ceil_div(value: i64, divisor: i64) -> i64 {
    -(-value).div_euclid(divisor)
}

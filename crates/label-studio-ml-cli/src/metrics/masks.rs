//! Masks and polygons: intersection over union.

use super::{number, ratio};

/// Returns the intersection over union of two masks of one size, a pixel being painted above 0; 0 when both are empty.
pub fn mask_iou(expected: &[u8], predicted: &[u8]) -> f64 {
    let pixels = expected.iter().zip(predicted);
    let (mut both, mut any) = (0, 0);
    for (one, other) in pixels {
        both += usize::from(*one > 0 && *other > 0);
        any += usize::from(*one > 0 || *other > 0);
    }
    ratio(number(both), number(any))
}

/// Paints a polygon, given in pixels: those whose centre lies inside, by the even-odd rule.
pub fn polygon_mask(points: &[(f64, f64)], width: usize, height: usize) -> Vec<u8> {
    let mut mask = vec![0; width * height];
    for (row, pixels) in mask.chunks_mut(width.max(1)).enumerate() {
        let y = number(row) + 0.5;
        let mut crossings: Vec<f64> = edges(points)
            .filter(|((_, from), (_, to))| (*from <= y) != (*to <= y))
            .map(|((x1, y1), (x2, y2))| x1 + (y - y1) / (y2 - y1) * (x2 - x1))
            .collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let x = number(column) + 0.5;
                if pair[0] <= x && x < pair[1] {
                    *pixel = u8::MAX;
                }
            }
        }
    }
    mask
}

fn edges(points: &[(f64, f64)]) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    let next = points.iter().cycle().skip(1);
    points.iter().copied().zip(next.copied())
}

//! Key points: object key point similarity.

use super::{number, ratio};

/// Returns the object key point similarity (cocoeval.py, `computeOks`) of points in pixels, paired by their order.
///
/// `area` is that of the object in square pixels; `sigmas` say how far off each point may be, 0.025 to 0.107 for the body.
/// 0 without points.
pub fn object_keypoint_similarity(
    expected: &[(f64, f64)],
    predicted: &[(f64, f64)],
    area: f64,
    sigmas: &[f64],
) -> f64 {
    let points = expected.iter().zip(predicted).zip(sigmas);
    let similarity = points.map(|((one, other), sigma)| {
        let distance = (one.0 - other.0).powi(2) + (one.1 - other.1).powi(2);
        let variance = (sigma * 2.0).powi(2);
        (-distance / variance / (area + f64::EPSILON) / 2.0).exp()
    });
    ratio(similarity.sum(), number(expected.len()))
}

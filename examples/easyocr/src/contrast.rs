//! Stretching of faint crops.

use image::GrayImage;

/// Where the dark end lies after stretching, in levels.
const OFFSET: f64 = 25.0;
/// How far the ends lie apart after stretching.
const RANGE: f64 = 200.0;
/// Least distance and sum of the ends that is divided by.
const LEAST: f64 = 10.0;

/// Returns a crop with its levels stretched if its contrast is below `target`, as EasyOCR's
/// `adjust_contrast_grey` does: between its 10th and 90th percentile.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of a byte; the library cuts the rest off"
)]
pub fn stretched(crop: &GrayImage, target: f64) -> GrayImage {
    let (low, high) = (percentile(crop, 10.0), percentile(crop, 90.0));
    let contrast = (high - low) / LEAST.max(high + low);
    let mut crop = crop.clone();
    if contrast < target {
        let ratio = RANGE / LEAST.max(high - low);
        for level in crop.iter_mut() {
            let stretched = (f64::from(*level) - low + OFFSET) * ratio;
            *level = stretched.clamp(0.0, 255.0) as u8;
        }
    }
    crop
}

/// Returns a percentile of the levels, between two of them where it falls there.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "positions in a list of pixels"
)]
fn percentile(crop: &GrayImage, percent: f64) -> f64 {
    let mut counts = [0_usize; 256];
    for level in crop.iter() {
        counts[usize::from(*level)] += 1;
    }
    let n_levels = crop.len();
    if n_levels == 0 {
        return 0.0;
    }
    let level_at = |position: usize| {
        let mut seen = 0;
        let level = counts.iter().position(|count| {
            seen += count;
            seen > position
        });
        level.unwrap_or(255) as f64
    };
    let position = percent / 100.0 * (n_levels - 1) as f64;
    let (first, share) = (position.floor(), position.fract());
    let lower = level_at(first as usize);
    let upper = level_at((first as usize + 1).min(n_levels - 1));
    lower + (upper - lower) * share
}

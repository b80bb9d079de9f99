//! Masks as the fixtures of backends with SAM hold them. Their tests include this file.

use label_studio_ml::{Value, serde_json};
use label_studio_vision::masks::Mask;

/// Paints runs of pixels in an image of a size, given as width and height; the first run is not painted.
pub(crate) fn mask(size: &Value, runs: &Value) -> Mask {
    let (width, height): (usize, usize) = serde_json::from_value(size.clone()).unwrap();
    let runs: Vec<usize> = serde_json::from_value(runs.clone()).unwrap();
    let mut pixels: Vec<bool> = Vec::with_capacity(width * height);
    for (run, is_painted) in runs.into_iter().zip([false, true].into_iter().cycle()) {
        pixels.resize(pixels.len() + run, is_painted);
    }
    pixels.resize(width * height, false);
    Mask::from_fn(width, height, |x, y| pixels[y * width + x])
}

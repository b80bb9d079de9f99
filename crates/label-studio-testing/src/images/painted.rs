//! Masks as the fixtures of backends with SAM have them.

use serde_json::Value;

/// Mask of an image.
#[derive(Debug, Clone)]
pub struct Painted {
    /// Pixels in a row.
    pub width: usize,
    /// Pixels in a column.
    pub height: usize,
    pixels: Vec<bool>,
}

impl Painted {
    /// Paints runs of pixels in an image of a size, given as width and height; the first run is not painted.
    ///
    /// # Panics
    /// When the size or the runs are no lists of numbers.
    pub fn new(size: &Value, runs: &Value) -> Self {
        let numbers = |value: &Value| -> Vec<usize> {
            serde_json::from_value(value.clone()).expect("a list of numbers")
        };
        let [width, height] = numbers(size)[..] else {
            panic!("{size} is no size");
        };
        let mut pixels: Vec<bool> = Vec::with_capacity(width * height);
        for (run, is_painted) in numbers(runs)
            .into_iter()
            .zip([false, true].into_iter().cycle())
        {
            pixels.resize(pixels.len() + run, is_painted);
        }
        pixels.resize(width * height, false);
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Returns whether a pixel is painted.
    pub fn at(&self, x: usize, y: usize) -> bool {
        self.pixels[y * self.width + x]
    }
}

//! From pixels to Label Studio's percentages.

use serde::Serialize;

/// A rectangle in percent of the image's size, as values of regions hold it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PercentBox {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl PercentBox {
    /// Converts a box (x1, y1, x2, y2) in pixels of an image of `size` (width, height).
    pub fn from_pixels([x1, y1, x2, y2]: [f64; 4], (width, height): (u32, u32)) -> Self {
        Self {
            x: to_percent(x1, width),
            y: to_percent(y1, height),
            width: to_percent(x2 - x1, width),
            height: to_percent(y2 - y1, height),
        }
    }

    /// Converts back to a box (x1, y1, x2, y2) in pixels.
    pub fn to_pixels(self, (width, height): (u32, u32)) -> [f64; 4] {
        let (x, y) = (f64::from(width) / 100.0, f64::from(height) / 100.0);
        [
            self.x * x,
            self.y * y,
            (self.x + self.width) * x,
            (self.y + self.height) * y,
        ]
    }
}

/// Converts a length in pixels to percent of `side` pixels.
pub fn to_percent(pixels: f64, side: u32) -> f64 {
    pixels / f64::from(side) * 100.0
}

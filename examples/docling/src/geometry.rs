//! From boxes on a page to percentages of its image.

use crate::{BoundingBox, Page, Size};

/// A rectangle in percent of the page, from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rectangle {
    /// Returns the middle, rounded like the edges.
    pub fn center(&self) -> [f64; 2] {
        [
            round(self.x + self.width / 2.0),
            round(self.y + self.height / 2.0),
        ]
    }
}

/// Returns a box in percent of the page's image, its edges in order, clipped and rounded to four digits; `None` when
/// no part of it is on the page, or the page has no size.
pub fn percent_rectangle(page: &Page, bbox: &BoundingBox) -> Option<Rectangle> {
    let size = page.size.filter(has_area)?;
    let raster = raster(page)?;
    let flipped = |y: f64| {
        if bbox.coord_origin == "BOTTOMLEFT" {
            size.height - y
        } else {
            y
        }
    };
    let (x_scale, y_scale) = (raster.width / size.width, raster.height / size.height);
    let [left, right] =
        sorted([bbox.l * x_scale, bbox.r * x_scale]).map(|x| percent(x, raster.width));
    let [top, bottom] = sorted([flipped(bbox.t) * y_scale, flipped(bbox.b) * y_scale])
        .map(|y| percent(y, raster.height));
    (right > left && bottom > top).then(|| Rectangle {
        x: left,
        y: top,
        width: round(right - left),
        height: round(bottom - top),
    })
}

/// Returns the size in pixels of the image that percentages refer to.
pub fn raster_size(page: &Page) -> Option<(u32, u32)> {
    let raster = raster(page)?;
    let (width, height) = (pixels(raster.width)?, pixels(raster.height)?);
    (width >= 1 && height >= 1).then_some((width, height))
}

fn raster(page: &Page) -> Option<Size> {
    let size = page.image.map(|image| image.size).or(page.size);
    size.filter(has_area)
}

fn has_area(size: &Size) -> bool {
    let is_length = |length: f64| length.is_finite() && length > 0.0;
    is_length(size.width) && is_length(size.height)
}

fn sorted([a, b]: [f64; 2]) -> [f64; 2] {
    if a <= b { [a, b] } else { [b, a] }
}

fn percent(edge: f64, extent: f64) -> f64 {
    let percent = edge / extent * 100.0;
    // What is not a number is nowhere on the page.
    if percent.is_nan() {
        0.0
    } else {
        round(percent.clamp(0.0, 100.0))
    }
}

/// Rounds to four digits as Python's `round` does: the decimal number that is nearest to the exact binary one.
fn round(number: f64) -> f64 {
    format!("{number:.4}").parse().unwrap_or(number)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked"
)]
fn pixels(length: f64) -> Option<u32> {
    let length = length.round_ties_even();
    (0.0..=f64::from(u32::MAX))
        .contains(&length)
        .then_some(length as u32)
}

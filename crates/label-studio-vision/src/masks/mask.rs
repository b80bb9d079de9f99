//! The pixels of an object, and their measures.

use label_studio_sdk::brush_rle::{self, BrushRleError};
use ndarray::ArrayView2;

use super::bilinear;

/// Which pixels of an image belong to an object: one byte each, row by row, 255 or 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
}

/// A box on whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// Leftmost column.
    pub x: usize,
    /// Topmost row.
    pub y: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl Mask {
    /// Creates a mask without any painted pixel.
    pub fn empty(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pixels: vec![0; width * height],
        }
    }

    /// Paints what `is_painted` says of each column and row.
    pub fn from_fn(
        width: usize,
        height: usize,
        mut is_painted: impl FnMut(usize, usize) -> bool,
    ) -> Self {
        let rows = 0..height;
        let pixels = rows.flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.map(|(x, y)| paint(is_painted(x, y))).collect();
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Paints the pixels of a `width` x `height` image whose score is above `threshold`. The scores
    /// are stretched over the image as PyTorch does (bilinear, `align_corners=False`), row by row
    /// and without a stretched copy.
    pub fn from_scores(
        scores: &ArrayView2<'_, f32>,
        width: usize,
        height: usize,
        threshold: f32,
    ) -> Self {
        let mut pixels = Vec::with_capacity(width * height);
        bilinear::for_each_row(scores, width, height, |row| {
            pixels.extend(row.iter().map(|&score| paint(score > threshold)));
        });
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Unpaints the pixels whose top left corner lies outside a box (x1, y1, x2, y2); its right and
    /// lower edge are outside.
    #[must_use]
    pub fn within(mut self, [x1, y1, x2, y2]: [f64; 4]) -> Self {
        let (columns, rows) = (range(x1, x2, self.width), range(y1, y2, self.height));
        for (row_idx, row) in self.pixels.chunks_exact_mut(self.width.max(1)).enumerate() {
            if rows.contains(&row_idx) {
                row[..columns.start].fill(0);
                row[columns.end..].fill(0);
            } else {
                row.fill(0);
            }
        }
        self
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Returns the pixels, row by row: 255 where painted, else 0.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns the pixels, row by row.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Returns the number of painted pixels.
    pub fn area(&self) -> usize {
        self.pixels
            .iter()
            .map(|&pixel| usize::from(pixel & 1))
            .sum()
    }

    /// Returns whether no pixel is painted.
    pub fn is_empty(&self) -> bool {
        self.pixels.iter().all(|&pixel| pixel == 0)
    }

    /// Returns the part of the painted pixels of either mask that both have painted; 1 for two
    /// empty masks.
    pub fn overlap(&self, other: &Self) -> f64 {
        let pairs = || self.pixels.iter().zip(&other.pixels);
        let either = pairs().filter(|(a, b)| **a | **b != 0).count();
        let both = pairs().filter(|(a, b)| **a & **b != 0).count();
        if either == 0 {
            return 1.0;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "an image has less than 2^52 pixels"
        )]
        let overlap = both as f64 / either as f64;
        overlap
    }

    /// Paints what either mask, of the same size, has painted.
    #[must_use]
    pub fn united(mut self, other: &Self) -> Self {
        for (pixel, other) in self.pixels.iter_mut().zip(&other.pixels) {
            *pixel |= other;
        }
        self
    }

    /// Packs the mask for a brush region.
    pub fn brush_rle(&self) -> Result<Vec<u8>, BrushRleError> {
        brush_rle::encode(&self.pixels)
    }

    /// Returns the smallest box around the painted pixels.
    pub fn bounding_box(&self) -> Option<PixelBox> {
        let (mut left, mut right) = (usize::MAX, 0);
        let (mut top, mut bottom) = (usize::MAX, 0);
        for (y, row) in self.rows().enumerate() {
            let Some(first) = row.iter().position(|&pixel| pixel != 0) else {
                continue;
            };
            let last = row.iter().rposition(|&pixel| pixel != 0).unwrap_or(first);
            (left, right) = (left.min(first), right.max(last));
            (top, bottom) = (top.min(y), y);
        }
        (top != usize::MAX).then(|| PixelBox {
            x: left,
            y: top,
            width: right - left + 1,
            height: bottom - top + 1,
        })
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks(self.width.max(1))
    }
}

fn paint(is_painted: bool) -> u8 {
    if is_painted { u8::MAX } else { 0 }
}

/// The positions below `end` that are at least `from` and less than `to`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates"
)]
fn range(from: f64, to: f64, end: usize) -> std::ops::Range<usize> {
    let to = (to.ceil() as usize).min(end);
    (from.ceil() as usize).min(to)..to
}

//! Linear perspective warping that equals `OpenCV` 4's `warpPerspective` on bytes.

use image::{ImageBuffer, Pixel};

use super::warp::{Border, Transform};

/// Bits after the point of positions: they are rounded to a 32nd of a pixel.
const POSITION_BITS: u32 = 5;
/// Parts of a pixel that positions are rounded to.
const PARTS: i64 = 1 << POSITION_BITS;

/// Returns the crop of a size that the transform maps to the image.
pub(super) fn warp<P: Pixel<Subpixel = u8>>(
    image: &ImageBuffer<P, Vec<u8>>,
    transform: &Transform,
    (width, height): (u32, u32),
    border: Border,
) -> ImageBuffer<P, Vec<u8>> {
    let n_channels = usize::from(P::CHANNEL_COUNT);
    let mut crop = ImageBuffer::new(width, height);
    let source = Source {
        pixels: image.as_raw(),
        size: [image.width(), image.height()].map(i64::from),
        n_channels,
        border,
    };
    let rows = crop.chunks_exact_mut((width as usize * n_channels).max(1));
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.chunks_exact_mut(n_channels).enumerate() {
            source.mix(position(transform, x, y), pixel);
        }
    }
    crop
}

/// Returns the position in the image of a pixel of the crop, in parts of a pixel.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "positions within a crop; those in the image saturate"
)]
fn position(transform: &Transform, x: usize, y: usize) -> [i64; 2] {
    let (x, y) = (x as f64, y as f64);
    let [across, down, depth] = transform.map(|[by_x, by_y, start]| by_x * x + by_y * y + start);
    let scale = if depth == 0.0 {
        0.0
    } else {
        PARTS as f64 / depth
    };
    [across, down].map(|along| (along * scale).round_ties_even() as i64)
}

/// The image that a crop is taken from.
struct Source<'a> {
    pixels: &'a [u8],
    size: [i64; 2],
    n_channels: usize,
    border: Border,
}

impl Source<'_> {
    /// Writes the weighted mean of the four pixels around a position.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a weighted mean of bytes is a byte, and weights are not negative"
    )]
    fn mix(&self, [x, y]: [i64; 2], mixed: &mut [u8]) {
        let (left, top) = (x >> POSITION_BITS, y >> POSITION_BITS);
        let (across, down) = (x & (PARTS - 1), y & (PARTS - 1));
        let mut sums = [0_u32; 4];
        for (y, down) in [(top, PARTS - down), (top + 1, down)] {
            for (x, across) in [(left, PARTS - across), (left + 1, across)] {
                let Some(pixel) = self.pixel(x, y) else {
                    continue;
                };
                let weight = (across * down) as u32;
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*value) * weight;
                }
            }
        }
        let half = 1 << (2 * POSITION_BITS - 1);
        for (value, sum) in mixed.iter_mut().zip(sums) {
            *value = ((sum + half) >> (2 * POSITION_BITS)) as u8;
        }
    }

    /// Returns a pixel of the image or of its border; `None` for a black one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the position is one of the image"
    )]
    fn pixel(&self, x: i64, y: i64) -> Option<&[u8]> {
        let [width, height] = self.size;
        let is_inside = x >= 0 && y >= 0 && x < width && y < height;
        if !is_inside && self.border == Border::Black {
            return None;
        }
        let (x, y) = (x.clamp(0, width - 1), y.clamp(0, height - 1));
        let start = (y * width + x) as usize * self.n_channels;
        Some(&self.pixels[start..start + self.n_channels])
    }
}

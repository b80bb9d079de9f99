//! Cubic perspective warping that equals `OpenCV` 5's `warpPerspective` on bytes.
//!
//! `OpenCV` 4 rounds positions to a 32nd of a pixel first, so that its values differ by a few grey
//! levels.

use image::{ImageBuffer, Pixel};

use crate::boxes::Quad;

/// `OpenCV`'s parameter of the cubic kernel.
const CUBIC: f32 = -0.75;
/// Pixels in each direction that a value is mixed from.
const N_TAPS: usize = 4;

/// How values between pixels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// From two pixels in each direction.
    Linear,
    /// From four pixels in each direction.
    Cubic,
}

/// What lies beyond an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// The pixels at the edge, again and again.
    Replicate,
    /// Black.
    Black,
}

/// Maps a position in a crop to one in the image: rows of a matrix of 3 x 3.
pub(super) type Transform = [[f64; 3]; 3];

/// The pixels in one direction that a value is mixed from: the first one, and their weights.
struct Taps {
    first: i64,
    weights: [f32; N_TAPS],
}

impl Taps {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "positions saturate, and parts of a pixel are below 1"
    )]
    fn at(position: f64) -> Self {
        let floor = position.floor();
        let x = (position - floor) as f32;
        let far = x + 1.0;
        let first = ((CUBIC * far - 5.0 * CUBIC) * far + 8.0 * CUBIC) * far - 4.0 * CUBIC;
        let near = |x: f32| ((CUBIC + 2.0) * x - (CUBIC + 3.0)) * x * x + 1.0;
        let (second, third) = (near(x), near(1.0 - x));
        Self {
            first: (floor as i64).saturating_sub(1),
            weights: [first, second, third, 1.0 - first - second - third],
        }
    }

    /// Returns whether all pixels are among the first `side`.
    fn are_within(&self, side: i64) -> bool {
        self.first >= 0 && self.first < side && side - self.first >= N_TAPS.cast_signed() as i64
    }

    /// Returns the pixels with their weights.
    fn iter(&self) -> impl Iterator<Item = (i64, f32)> + '_ {
        (0..)
            .zip(&self.weights)
            .map(|(idx, weight)| (self.first.saturating_add(idx), *weight))
    }
}

/// Returns the transform from a crop, whose corners are at 0 and at `last`, to the box; `None` if
/// there is none.
pub(super) fn transform(quad: &Quad, last: (u32, u32)) -> Option<Transform> {
    let (right, bottom) = (f64::from(last.0), f64::from(last.1));
    let of_crop = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
    // a x + b y + c - g x u - h y u = u, and d x + e y + f - g x v - h y v = v
    let mut equations = [[0.0; 9]; 8];
    for (idx, ([x, y], corner)) in of_crop.into_iter().zip(quad.0).enumerate() {
        let [u, v] = corner.map(f64::from);
        equations[idx] = [x, y, 1.0, 0.0, 0.0, 0.0, -x * u, -y * u, u];
        equations[idx + 4] = [0.0, 0.0, 0.0, x, y, 1.0, -x * v, -y * v, v];
    }
    let solution = solved(equations)?;
    Some([
        [solution[0], solution[1], solution[2]],
        [solution[3], solution[4], solution[5]],
        [solution[6], solution[7], 1.0],
    ])
}

/// Solves linear equations by elimination with row pivots.
fn solved(mut equations: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|&a, &b| {
            let (a, b) = (equations[a][column].abs(), equations[b][column].abs());
            a.total_cmp(&b)
        })?;
        equations.swap(column, pivot);
        let pivot = equations[column];
        if pivot[column].abs() < f64::EPSILON || !pivot[column].is_finite() {
            return None;
        }
        for equation in &mut equations[column + 1..] {
            let factor = equation[column] / pivot[column];
            for (value, pivot) in equation.iter_mut().zip(pivot) {
                *value -= factor * pivot;
            }
        }
    }
    let mut solution = [0.0; 8];
    for column in (0..8).rev() {
        let known: f64 = (column + 1..8)
            .map(|other| equations[column][other] * solution[other])
            .sum();
        solution[column] = (equations[column][8] - known) / equations[column][column];
    }
    Some(solution)
}

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
        width: i64::from(image.width()),
        height: i64::from(image.height()),
        n_channels,
        border,
    };
    let rows = crop.chunks_exact_mut((width as usize * n_channels).max(1));
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.chunks_exact_mut(n_channels).enumerate() {
            let [x, y] = position(transform, x, y);
            source.mix(&Taps::at(x), &Taps::at(y), pixel);
        }
    }
    crop
}

#[expect(clippy::cast_precision_loss, reason = "positions within a crop")]
fn position(transform: &Transform, x: usize, y: usize) -> [f64; 2] {
    let (x, y) = (x as f64, y as f64);
    let [across, down, depth] = transform.map(|[by_x, by_y, start]| by_x * x + by_y * y + start);
    if depth == 0.0 {
        return [0.0; 2];
    }
    [across / depth, down / depth]
}

/// The image that a crop is taken from.
struct Source<'a> {
    pixels: &'a [u8],
    width: i64,
    height: i64,
    n_channels: usize,
    border: Border,
}

impl Source<'_> {
    /// Writes the weighted mean of pixels.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions were checked, and values are those of bytes"
    )]
    fn mix(&self, across: &Taps, down: &Taps, mixed: &mut [u8]) {
        let is_inside = across.are_within(self.width) && down.are_within(self.height);
        let mut sums = [0.0_f32; 4];
        for (y, down) in down.iter() {
            for (x, across) in across.iter() {
                let (mut x, mut y) = (x, y);
                if !is_inside {
                    let is_outside = x < 0 || y < 0 || x >= self.width || y >= self.height;
                    if is_outside && self.border == Border::Black {
                        continue;
                    }
                    (x, y) = (x.clamp(0, self.width - 1), y.clamp(0, self.height - 1));
                }
                let start = (y * self.width + x) as usize * self.n_channels;
                let pixel = &self.pixels[start..start + self.n_channels];
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += f32::from(*value) * (down * across);
                }
            }
        }
        for (value, sum) in mixed.iter_mut().zip(sums) {
            *value = sum.round_ties_even().clamp(0.0, 255.0) as u8;
        }
    }
}

//! Perspective warping that equals `OpenCV`'s `warpPerspective` on bytes.

use image::{ImageBuffer, Pixel};

use crate::boxes::Quad;

/// Parts of a pixel that positions are rounded to, as a power of two.
const POSITION_BITS: u32 = 5;
const N_POSITIONS: usize = 1 << POSITION_BITS;
/// Bits after the point of an interpolation weight.
const WEIGHT_BITS: u32 = 15;
/// `OpenCV`'s parameter of the cubic kernel.
const CUBIC: f32 = -0.75;

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

/// Weights of the pixels around a position, for each part of a pixel in both directions.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    n_taps: usize,
    table: Vec<i32>,
}

/// Maps a position in a crop to one in the image: rows of a matrix of 3 x 3.
pub(super) type Transform = [[f64; 3]; 3];

impl Weights {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "weights of at most two, and parts of a pixel"
    )]
    pub(super) fn new(interpolation: Interpolation) -> Self {
        let along: Vec<Vec<f32>> = (0..N_POSITIONS)
            .map(|position| taps(interpolation, position as f32 / N_POSITIONS as f32))
            .collect();
        let n_taps = along[0].len();
        let scale = (1_i32 << WEIGHT_BITS) as f32;
        let mut table = Vec::with_capacity(N_POSITIONS * N_POSITIONS * n_taps * n_taps);
        for down in &along {
            for across in &along {
                let weights = down
                    .iter()
                    .flat_map(|down| across.iter().map(move |across| down * across));
                let weights: Vec<i32> = weights
                    .map(|weight| (weight * scale).round_ties_even() as i32)
                    .collect();
                table.extend(balanced(weights, n_taps));
            }
        }
        Self { n_taps, table }
    }

    fn of(&self, x: i64, y: i64) -> &[i32] {
        let part = |position: i64| {
            let part = position.rem_euclid(1 << POSITION_BITS);
            usize::try_from(part).expect("a remainder is positive")
        };
        let n_weights = self.n_taps * self.n_taps;
        let start = (part(y) * N_POSITIONS + part(x)) * n_weights;
        &self.table[start..start + n_weights]
    }
}

fn taps(interpolation: Interpolation, x: f32) -> Vec<f32> {
    match interpolation {
        Interpolation::Linear => vec![1.0 - x, x],
        Interpolation::Cubic => {
            let far = x + 1.0;
            let first = ((CUBIC * far - 5.0 * CUBIC) * far + 8.0 * CUBIC) * far - 4.0 * CUBIC;
            let near = |x: f32| ((CUBIC + 2.0) * x - (CUBIC + 3.0)) * x * x + 1.0;
            let (second, third) = (near(x), near(1.0 - x));
            vec![first, second, third, 1.0 - first - second - third]
        }
    }
}

/// Makes the sum of rounded weights 1 again, at the largest or the smallest of the middle ones.
fn balanced(mut weights: Vec<i32>, n_taps: usize) -> Vec<i32> {
    let excess = weights.iter().sum::<i32>() - (1 << WEIGHT_BITS);
    if excess == 0 {
        return weights;
    }
    let middle = n_taps / 2;
    let at = |row: usize, column: usize| row.min(n_taps - 1) * n_taps + column.min(n_taps - 1);
    let (mut largest, mut smallest) = (at(middle, middle), at(middle, middle));
    for row in middle..middle + 2 {
        for column in middle..middle + 2 {
            let idx = at(row, column);
            if weights[idx] < weights[smallest] {
                smallest = idx;
            } else if weights[idx] > weights[largest] {
                largest = idx;
            }
        }
    }
    let changed = if excess < 0 { largest } else { smallest };
    weights[changed] -= excess;
    weights
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
    (weights, border): (&Weights, Border),
) -> ImageBuffer<P, Vec<u8>> {
    let n_channels = usize::from(P::CHANNEL_COUNT);
    let mut crop = ImageBuffer::new(width, height);
    let source = Source {
        pixels: image.as_raw(),
        width: i64::from(image.width()),
        height: i64::from(image.height()),
        n_channels,
    };
    let rows = crop.chunks_exact_mut((width as usize * n_channels).max(1));
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.chunks_exact_mut(n_channels).enumerate() {
            let (x, y) = position(transform, x, y);
            let (left, top) = (x >> POSITION_BITS, y >> POSITION_BITS);
            let before = i64::from(weights.n_taps == 4);
            source.mix(
                (left - before, top - before),
                weights.of(x, y),
                border,
                pixel,
            );
        }
    }
    crop
}

/// Returns a position in the image, in parts of a pixel.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "positions within an image; others saturate"
)]
fn position(transform: &Transform, x: usize, y: usize) -> (i64, i64) {
    let (x, y) = (x as f64, y as f64);
    let [across, down, depth] = transform.map(|[by_x, by_y, start]| by_x * x + by_y * y + start);
    let scale = if depth == 0.0 {
        0.0
    } else {
        N_POSITIONS as f64 / depth
    };
    let rounded = |position: f64| {
        let limit = f64::from(i32::MAX);
        (position * scale).clamp(-limit, limit).round_ties_even() as i64
    };
    (rounded(across), rounded(down))
}

/// The image that a crop is taken from.
struct Source<'a> {
    pixels: &'a [u8],
    width: i64,
    height: i64,
    n_channels: usize,
}

impl Source<'_> {
    /// Writes the weighted mean of the pixels whose top left one is at (`left`, `top`).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions were checked, and values are those of bytes"
    )]
    fn mix(&self, (left, top): (i64, i64), weights: &[i32], border: Border, mixed: &mut [u8]) {
        let n_taps = if weights.len() == 4 { 2 } else { 4 };
        let is_inside =
            left >= 0 && top >= 0 && left + n_taps <= self.width && top + n_taps <= self.height;
        let mut sums = [0_i32; 4];
        for (tap, weight) in (0..).zip(weights) {
            let (mut x, mut y) = (left + tap % n_taps, top + tap / n_taps);
            if !is_inside {
                let is_outside = x < 0 || y < 0 || x >= self.width || y >= self.height;
                if is_outside && border == Border::Black {
                    continue;
                }
                (x, y) = (x.clamp(0, self.width - 1), y.clamp(0, self.height - 1));
            }
            let start = (y * self.width + x) as usize * self.n_channels;
            let pixel = &self.pixels[start..start + self.n_channels];
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(*value) * weight;
            }
        }
        for (value, sum) in mixed.iter_mut().zip(sums) {
            let rounded = (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS;
            *value = rounded.clamp(0, 255) as u8;
        }
    }
}

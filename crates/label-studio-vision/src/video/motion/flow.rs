//! Points of an image found again in the next one, by Lucas and Kanade, from coarse to fine.

use super::pyramid::{Level, Pyramid, SIDE, WINDOW};

/// Steps per level.
const N_STEPS: usize = 30;
/// A shorter step is the last one, in pixels.
const SHORT_STEP: f32 = 0.01;
/// Windows whose gradients have a smaller eigenvalue than this are too plain.
const MIN_EIGENVALUE: f32 = 1e-4;
/// Bits after the point of the weights of pixels.
const BITS: u32 = 14;
/// Bits after the point of interpolated pixels.
const PIXEL_BITS: u32 = 5;
const SCALE: f32 = 1.0 / 1_048_576.0;
const HALF: f32 = (SIDE - 1.0) / 2.0;
const N_PIXELS: f32 = SIDE * SIDE;

/// Weights of the four pixels around a point.
type Weights = [i32; 4];

/// Follows points from one image to the next. Returns those that were found again, before and
/// after.
pub(super) fn follow(
    before: &Pyramid,
    after: &Pyramid,
    points: &[[f32; 2]],
) -> (Vec<[f32; 2]>, Vec<[f32; 2]>) {
    let n_levels = before.levels.len().min(after.levels.len());
    let followed = points.iter().filter_map(|point| {
        let levels = before.levels.iter().zip(&after.levels).take(n_levels);
        let mut guess: Option<[f32; 2]> = None;
        let mut is_found = true;
        for (level, (before, after)) in levels.enumerate().rev() {
            let scale = 1.0 / f32::from(1_u16 << level);
            let from = point.map(|value| value * scale);
            let start = guess.map_or(from, |guess| guess.map(|value| value * 2.0));
            let end = Search { before, after }.search(from, start);
            // What is lost at a coarse level may be found at the next one.
            is_found = end.is_some();
            guess = Some(end.unwrap_or(start));
        }
        guess.filter(|_| is_found).map(|guess| (*point, guess))
    });
    followed.unzip()
}

struct Search<'a> {
    before: &'a Level,
    after: &'a Level,
}

impl Search<'_> {
    /// Looks for the window around `from` near `start`.
    fn search(&self, from: [f32; 2], start: [f32; 2]) -> Option<[f32; 2]> {
        let corner = from.map(|value| value - HALF);
        let window = self.before.window(corner[0].floor(), corner[1].floor())?;
        let patch = Patch::new(self.before, window, weights(corner));
        let [xx, xy, yy] = patch.products;
        let determinant = xx * yy - xy * xy;
        let root = ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt();
        let eigenvalue = (yy + xx - root) / (2.0 * N_PIXELS);
        if eigenvalue < MIN_EIGENVALUE || determinant < f32::EPSILON {
            return None;
        }
        let mut at = start.map(|value| value - HALF);
        let mut step_before = [0.0_f32; 2];
        for n_steps in 0..N_STEPS {
            let window = self.after.window(at[0].floor(), at[1].floor())?;
            let [x, y] = patch.mismatch(self.after, window, weights(at));
            let step = [
                (xy * y - yy * x) / determinant,
                (xy * x - xx * y) / determinant,
            ];
            at = [at[0] + step[0], at[1] + step[1]];
            if step[0] * step[0] + step[1] * step[1] <= SHORT_STEP * SHORT_STEP {
                break;
            }
            let is_back = |idx: usize| (step[idx] + step_before[idx]).abs() < SHORT_STEP;
            if n_steps > 0 && is_back(0) && is_back(1) {
                at = [at[0] - step[0] * 0.5, at[1] - step[1] * 0.5];
                break;
            }
            step_before = step;
        }
        self.after.window(at[0].floor(), at[1].floor())?;
        Some(at.map(|value| value + HALF))
    }
}

/// The window around a point of the image before.
struct Patch {
    pixels: Vec<i32>,
    gradients: Vec<[i32; 2]>,
    /// Sums of products of the gradients: across², across by down, down².
    products: [f32; 3],
}

impl Patch {
    fn new(level: &Level, window: usize, weights: Weights) -> Self {
        let mut pixels = Vec::with_capacity(WINDOW * WINDOW);
        for (upper, lower) in level.rows(window) {
            pixels.extend(interpolated(upper, lower, weights));
        }
        let mut gradients = Vec::with_capacity(WINDOW * WINDOW);
        for (upper, lower) in level.gradient_rows(window) {
            let pairs = upper.windows(2).zip(lower.windows(2));
            gradients.extend(pairs.map(|(upper, lower)| {
                let value = |side: usize| {
                    let four = [upper[0], upper[1], lower[0], lower[1]];
                    weighted(four.map(|gradient| gradient[side]), weights, BITS)
                };
                [value(0), value(1)]
            }));
        }
        let mut products = [0.0_f32; 3];
        for [across, down] in &gradients {
            let (across, down) = (to_float(*across), to_float(*down));
            products[0] += across * across;
            products[1] += across * down;
            products[2] += down * down;
        }
        Self {
            pixels,
            gradients,
            products: products.map(|product| product * SCALE),
        }
    }

    /// Returns the sums of the differences to a window of another image, by gradient.
    fn mismatch(&self, level: &Level, window: usize, weights: Weights) -> [f32; 2] {
        let mut sums = [0.0_f32; 2];
        let own = self
            .pixels
            .chunks_exact(WINDOW)
            .zip(self.gradients.chunks_exact(WINDOW));
        for ((upper, lower), (pixels, gradients)) in level.rows(window).zip(own) {
            let others = interpolated(upper, lower, weights);
            for ((other, pixel), [across, down]) in others.zip(pixels).zip(gradients) {
                let difference = other - pixel;
                sums[0] += to_float(difference * across);
                sums[1] += to_float(difference * down);
            }
        }
        sums.map(|sum| sum * SCALE)
    }
}

/// Returns a row between two rows of pixels.
fn interpolated<'a>(
    upper: &'a [i16],
    lower: &'a [i16],
    weights: Weights,
) -> impl Iterator<Item = i32> + 'a {
    let pairs = upper.windows(2).zip(lower.windows(2));
    pairs.map(move |(upper, lower)| {
        let four = [upper[0], upper[1], lower[0], lower[1]];
        weighted(four, weights, BITS - PIXEL_BITS)
    })
}

/// Returns a weighted sum without its last bits, rounded.
fn weighted(values: [i16; 4], weights: Weights, bits: u32) -> i32 {
    let pairs = values.into_iter().zip(weights);
    let sum: i32 = pairs.map(|(value, weight)| i32::from(value) * weight).sum();
    (sum + (1 << (bits - 1))) >> bits
}

/// Returns the weights of the four pixels around a point.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and 2^14")]
fn weights([x, y]: [f32; 2]) -> Weights {
    let (x, y) = (x - x.floor(), y - y.floor());
    let one = f32::from(1_u16 << BITS);
    let rounded = |weight: f32| (weight * one).round_ties_even() as i32;
    let three = [
        rounded((1.0 - x) * (1.0 - y)),
        rounded(x * (1.0 - y)),
        rounded((1.0 - x) * y),
    ];
    let rest = (1 << BITS) - three.iter().sum::<i32>();
    [three[0], three[1], three[2], rest]
}

#[expect(clippy::cast_precision_loss, reason = "OpenCV's own precision")]
fn to_float(value: i32) -> f32 {
    value as f32
}

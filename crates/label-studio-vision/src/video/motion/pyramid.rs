//! An image at several sizes, each half of the one before.

use image::GrayImage;

/// Width and height of the window around a point.
pub(super) const WINDOW: usize = 21;
/// The same as a number to compare positions with.
pub(super) const SIDE: f32 = 21.0;
/// Levels besides the image itself.
const N_SMALLER: usize = 3;
/// Pixels around each level: windows reach out of the image.
const BORDER: usize = WINDOW + 1;
/// Weights of pyramid filter and Scharr's filter.
const BINOMIAL: [u32; 5] = [1, 4, 6, 4, 1];

/// An image at several sizes.
#[derive(Debug)]
pub(super) struct Pyramid {
    /// The image, and smaller ones.
    pub(super) levels: Vec<Level>,
}

/// An image with a border, and its gradients.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) width: usize,
    pub(super) height: usize,
    stride: usize,
    /// Grey levels; the border is the reflected image.
    pixels: Vec<i16>,
    /// Scharr's gradients across and down; 0 in the border.
    gradients: Vec<[i16; 2]>,
}

impl Pyramid {
    pub(super) fn new(image: &GrayImage) -> Self {
        let (mut width, mut height) = (image.width() as usize, image.height() as usize);
        let mut pixels = image.as_raw().clone();
        let mut levels = vec![Level::new(&pixels, width, height)];
        for _ in 0..N_SMALLER {
            let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
            if half_width <= WINDOW || half_height <= WINDOW {
                break;
            }
            pixels = halved(&pixels, width, height);
            (width, height) = (half_width, half_height);
            levels.push(Level::new(&pixels, width, height));
        }
        Self { levels }
    }
}

impl Level {
    fn new(image: &[u8], width: usize, height: usize) -> Self {
        let stride = width + 2 * BORDER;
        let mut pixels = Vec::with_capacity(stride * (height + 2 * BORDER));
        for y in 0..height + 2 * BORDER {
            let row = &image[reflected(y, height) * width..][..width];
            pixels.extend((0..stride).map(|x| i16::from(row[reflected(x, width)])));
        }
        let mut gradients = vec![[0; 2]; pixels.len()];
        for y in BORDER..BORDER + height {
            for x in BORDER..BORDER + width {
                let at = y * stride + x;
                let down =
                    |x: usize| 3 * (pixels[x - stride] + pixels[x + stride]) + 10 * pixels[x];
                let across = |row: usize| {
                    let values = &pixels[row - 1..][..3];
                    3 * (values[0] + values[2]) + 10 * values[1]
                };
                gradients[at] = [
                    down(at + 1) - down(at - 1),
                    across(at + stride) - across(at - stride),
                ];
            }
        }
        Self {
            width,
            height,
            stride,
            pixels,
            gradients,
        }
    }

    /// Returns where a window begins whose first pixel is at (`x`, `y`); `None` if it lies so far
    /// outside that nothing of it is in the image.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "checked to lie within the border"
    )]
    pub(super) fn window(&self, x: f32, y: f32) -> Option<usize> {
        let is_within = |at: f32, length: usize| at >= -SIDE && at < length as f32;
        if !is_within(x, self.width) || !is_within(y, self.height) {
            return None;
        }
        let (x, y) = (x as isize + BORDER as isize, y as isize + BORDER as isize);
        Some(y as usize * self.stride + x as usize)
    }

    /// Returns the rows of pixels of a window, with one more row and column to interpolate.
    pub(super) fn rows(&self, window: usize) -> impl Iterator<Item = (&[i16], &[i16])> {
        (0..WINDOW).map(move |row| {
            let at = window + row * self.stride;
            (
                &self.pixels[at..][..=WINDOW],
                &self.pixels[at + self.stride..][..=WINDOW],
            )
        })
    }

    /// Returns the rows of gradients of a window, with one more row and column to interpolate.
    pub(super) fn gradient_rows(
        &self,
        window: usize,
    ) -> impl Iterator<Item = (&[[i16; 2]], &[[i16; 2]])> {
        (0..WINDOW).map(move |row| {
            let at = window + row * self.stride;
            (
                &self.gradients[at..][..=WINDOW],
                &self.gradients[at + self.stride..][..=WINDOW],
            )
        })
    }
}

/// Returns the pixel that a position of a bordered image shows: outside, the image is reflected
/// about its last pixel.
fn reflected(at: usize, length: usize) -> usize {
    if length == 1 {
        return 0;
    }
    let period = 2 * (length - 1);
    // The border is added once more, so that nothing becomes negative.
    let turns = BORDER.div_ceil(period) * period;
    let within = (at + turns - BORDER) % period;
    within.min(period - within)
}

/// Halves an image, smoothed by a binomial filter of 5 x 5.
fn halved(image: &[u8], width: usize, height: usize) -> Vec<u8> {
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let taps = |at: usize, length: usize| -> [usize; 5] {
        std::array::from_fn(|tap| reflected(2 * at + tap + BORDER - 2, length))
    };
    let columns: Vec<_> = (0..half_width).map(|x| taps(x, width)).collect();
    let mut pixels = Vec::with_capacity(half_width * half_height);
    let mut sums = vec![0_u32; width];
    for y in 0..half_height {
        sums.fill(0);
        for (row, weight) in taps(y, height).into_iter().zip(BINOMIAL) {
            for (sum, value) in sums.iter_mut().zip(&image[row * width..][..width]) {
                *sum += weight * u32::from(*value);
            }
        }
        for taps in &columns {
            let weighted = taps.iter().zip(BINOMIAL);
            let sum: u32 = weighted
                .map(|(column, weight)| sums[*column] * weight)
                .sum();
            let value = u8::try_from((sum + 128) >> 8);
            pixels.push(value.expect("a weighted mean of bytes is a byte"));
        }
    }
    pixels
}

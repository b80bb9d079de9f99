//! How an image becomes a model's input.

use ndarray::{ArrayViewMut2, ArrayViewMut3, Axis};

use crate::images::{Filter, Normalise, RgbImage, resize};

/// What the shorter side becomes where the model takes any size.
const SHORTER_SIDE: f64 = 800.0;
/// What the longer side may become.
const LONGER_SIDE: f64 = 1333.0;

/// An image's place in a model's input: the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Width and height that the image is scaled to.
    pub(super) content: (u32, u32),
    /// Width and height of the input.
    pub(super) input: (u32, u32),
}

impl Frame {
    /// Fits an image into an input of a fixed size, or gives it an input of its own.
    pub(super) fn new(image: (u32, u32), input: Option<(u32, u32)>) -> Self {
        match input {
            None => {
                let content = resized(image);
                Self {
                    content,
                    input: content,
                }
            }
            Some(input) => Self {
                content: fitted(image, input),
                input,
            },
        }
    }

    /// Writes the scaled image into its corner of a tensor of zeros, and ones into the mask there.
    pub(super) fn write(
        &self,
        image: &RgbImage,
        pixels: ArrayViewMut3<'_, f32>,
        mut mask: ArrayViewMut2<'_, i64>,
    ) {
        let (width, height) = self.content;
        let scaled = resize(image, width, height, Filter::PillowBilinear);
        Normalise::IMAGENET.write(&scaled, pixels);
        let (width, height) = (width as usize, height as usize);
        mask.slice_axis_inplace(Axis(0), (..height).into());
        mask.slice_axis_inplace(Axis(1), (..width).into());
        mask.fill(1);
    }

    /// Returns how much larger the input is than the image in it, horizontally and vertically.
    pub(super) fn padding(&self) -> (f64, f64) {
        let ratio = |input: u32, content: u32| f64::from(input) / f64::from(content);
        (
            ratio(self.input.0, self.content.0),
            ratio(self.input.1, self.content.1),
        )
    }
}

/// Returns the size (width, height) that Grounding DINO was trained with for an image of a size: the shorter side has 800
/// pixels, unless the longer one had more than about 1333 then.
///
/// The rounding is that of the original repository, which may exceed the limit by a few pixels.
pub fn resized((width, height): (u32, u32)) -> (u32, u32) {
    let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let mut size = SHORTER_SIDE;
    if long / short * size > LONGER_SIDE {
        size = (LONGER_SIDE * short / long).round_ties_even();
    }
    let (short, long) = (pixels(size), pixels(size * long / short));
    if width <= height {
        (short, long)
    } else {
        (long, short)
    }
}

/// Returns the largest size of the same proportions within a limit, rounded down as transformers' `max_height` and
/// `max_width` do.
fn fitted((width, height): (u32, u32), (max_width, max_height): (u32, u32)) -> (u32, u32) {
    let (width, height) = (f64::from(width), f64::from(height));
    let scale = (f64::from(max_height) / height).min(f64::from(max_width) / width);
    (
        pixels(width * scale).min(max_width),
        pixels(height * scale).min(max_height),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides are positive, and cut to whole pixels"
)]
fn pixels(side: f64) -> u32 {
    side.max(1.0) as u32
}

//! How an image becomes a model's input.

use ndarray::{ArrayViewMut2, Axis};

use super::{ImageScale, image_scale::whole_pixels};
use crate::images::{Filter, RgbImage, resize};

/// Length of the shorter side for a model with a dynamic input.
const SHORTER_SIDE: f64 = 800.0;
/// Largest length of the longer side.
const LONGER_SIDE: f64 = 1333.0;

/// The part of a model's input that holds the image: the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Width and height that the image is scaled to.
    pub(super) content: (u32, u32),
    /// Width and height of the input.
    pub(super) input: (u32, u32),
}

impl Frame {
    /// Scales an image as `scale` says, for an input of a fixed size or for one that fits the image.
    ///
    /// Without a scale, an image fills a fixed input, or gets the size that the model was trained
    /// with.
    pub(super) fn new(
        image: (u32, u32),
        input: Option<(u32, u32)>,
        scale: Option<ImageScale>,
    ) -> Self {
        let scaled = scale.map(|scale| scale.scaled(image));
        let Some(input) = input else {
            let content = scaled.unwrap_or_else(|| resized(image));
            return Self {
                content,
                input: content,
            };
        };
        let fits = |content: &(u32, u32)| content.0 <= input.0 && content.1 <= input.1;
        let filling = || ImageScale::filling(input, image).scaled(image);
        Self {
            content: scaled.filter(fits).unwrap_or_else(filling),
            input,
        }
    }

    /// Returns the image at the size that it has in the input.
    pub(super) fn scale(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = self.content;
        resize(image, width, height, Filter::PillowBilinear)
    }

    /// Writes ones into the part of a mask of zeros where the image is.
    pub(super) fn mark(&self, mut mask: ArrayViewMut2<'_, i64>) {
        let (width, height) = (self.content.0 as usize, self.content.1 as usize);
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

/// Returns the size (width, height) that Grounding DINO was trained with for an image of a size:
/// the shorter side has 800 pixels, unless the longer one had more than about 1333 then.
///
/// The rounding is that of the original repository, which may exceed the limit by a few pixels.
pub fn resized((width, height): (u32, u32)) -> (u32, u32) {
    let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let mut size = SHORTER_SIDE;
    if long / short * size > LONGER_SIDE {
        size = (LONGER_SIDE * short / long).round_ties_even();
    }
    let (short, long) = (whole_pixels(size), whole_pixels(size * long / short));
    if width <= height {
        (short, long)
    } else {
        (long, short)
    }
}

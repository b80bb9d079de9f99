//! Fitting an image into a model's input without changing its proportions.

use image::{Rgb, RgbImage, imageops};

use super::{Filter, resize};

/// How an image is scaled and padded to become a model's input, and the way back for what the model
/// finds there.
///
/// The numbers are those of Ultralytics' letterbox: the image may be enlarged, sides are rounded to
/// the nearest pixel (halves to even), and the padding is spread evenly, the odd pixel right and
/// below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letterbox {
    /// Width and height of the image in pixels.
    pub image: (u32, u32),
    /// Width and height of the scaled image.
    pub resized: (u32, u32),
    /// Padding on the left.
    pub left: u32,
    /// Padding at the top.
    pub top: u32,
    /// Width and height of the model's input.
    pub input: (u32, u32),
}

impl Letterbox {
    /// Fits an image into exactly `input` (width, height).
    pub fn fixed(image: (u32, u32), input: (u32, u32)) -> Self {
        Self::new(image, input, |padding| padding)
    }

    /// Fits an image into at most `input` (width, height), padding each side only to a multiple of
    /// `stride`.
    ///
    /// This suits models with a dynamic input: fewer pixels are computed, and boxes equal those of
    /// the original.
    pub fn rectangular(image: (u32, u32), input: (u32, u32), stride: u32) -> Self {
        let stride = stride.max(1);
        Self::new(image, input, |padding| padding % stride)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded sides lie between 1 and the input's"
    )]
    fn new(image: (u32, u32), input: (u32, u32), keep: impl Fn(u32) -> u32) -> Self {
        let ratio =
            (f64::from(input.0) / f64::from(image.0)).min(f64::from(input.1) / f64::from(image.1));
        let side = |side: u32, max: u32| {
            let scaled = (f64::from(side) * ratio).round_ties_even() as u32;
            scaled.clamp(1, max)
        };
        let resized = (side(image.0, input.0), side(image.1, input.1));
        let right_and_left = keep(input.0 - resized.0);
        let top_and_bottom = keep(input.1 - resized.1);
        Self {
            image,
            resized,
            left: right_and_left / 2,
            top: top_and_bottom / 2,
            input: (resized.0 + right_and_left, resized.1 + top_and_bottom),
        }
    }

    /// Returns the scaled and padded image.
    pub fn apply(&self, image: &RgbImage, filter: Filter, padding: [u8; 3]) -> RgbImage {
        let resized = resize(image, self.resized.0, self.resized.1, filter);
        if self.resized == self.input {
            return resized;
        }
        let mut input = RgbImage::from_pixel(self.input.0, self.input.1, Rgb(padding));
        imageops::replace(
            &mut input,
            &resized,
            i64::from(self.left),
            i64::from(self.top),
        );
        input
    }

    /// Returns the model's pixels per image pixel, horizontally and vertically; rounding makes them
    /// differ a little.
    pub fn ratio(&self) -> (f64, f64) {
        (
            f64::from(self.resized.0) / f64::from(self.image.0),
            f64::from(self.resized.1) / f64::from(self.image.1),
        )
    }

    /// Maps a point of the model's input to the image, in pixels, without clipping.
    pub fn point_to_image(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (x_ratio, y_ratio) = self.ratio();
        [
            (x - f64::from(self.left)) / x_ratio,
            (y - f64::from(self.top)) / y_ratio,
        ]
    }

    /// Maps a box (x1, y1, x2, y2) of the model's input to the image, in pixels, clipped to the
    /// image.
    pub fn box_to_image(&self, [x1, y1, x2, y2]: [f64; 4]) -> [f64; 4] {
        let [x1, y1] = self.point_to_image([x1, y1]);
        let [x2, y2] = self.point_to_image([x2, y2]);
        crate::boxes::clip([x1, y1, x2, y2], self.image)
    }
}

//! How an image becomes a network's input, and the way back for boxes.

use label_studio_vision::{
    boxes::clip,
    images::{Filter, RgbImage, resize, to_bgr},
};

use crate::{Family, Order, Settings};

/// The grey that `RTMDet`'s inputs are filled up with.
const PADDING: u8 = 114;
/// Sides of `YOLOv3`'s inputs are multiples of this.
const STRIDE: u32 = 32;

/// How an image was scaled into the top left corner of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// Width and height of the image.
    pub(crate) image: (u32, u32),
    /// Width and height of the scaled image.
    pub(crate) resized: (u32, u32),
    /// Width and height of the input.
    pub(crate) input: (u32, u32),
}

impl Placement {
    /// Fits an image as the family does; `fixed` is the input's size if the export fixed it.
    pub(crate) fn new(image: (u32, u32), settings: &Settings, fixed: Option<(u32, u32)>) -> Self {
        let size = fixed.unwrap_or(settings.input_size);
        if settings.family == Family::Rtdetr {
            return Self {
                image,
                resized: size,
                input: size,
            };
        }
        let resized = fitted(image, size);
        let up = |side: u32| side.div_ceil(STRIDE) * STRIDE;
        let input = match settings.family {
            Family::Yolov3Raw if fixed.is_none() => (up(resized.0), up(resized.1)),
            _ => size,
        };
        Self {
            image,
            resized,
            input,
        }
    }

    /// Returns the scaled image in the network's order of channels, filled up unless the padding is to be zero.
    pub(crate) fn apply(&self, image: &RgbImage, settings: &Settings) -> RgbImage {
        let filter = match settings.family {
            Family::Rtdetr => Filter::PillowBilinear,
            _ => Filter::OpenCvLinear,
        };
        let mut resized = resize(image, self.resized.0, self.resized.1, filter);
        if settings.order == Order::Bgr {
            to_bgr(&mut resized);
        }
        let is_filled_with_grey = matches!(settings.family, Family::Mmdeploy | Family::RtmdetRaw);
        if self.resized == self.input || !is_filled_with_grey {
            return resized;
        }
        let (width, height) = self.resized;
        RgbImage::from_fn(self.input.0, self.input.1, |x, y| {
            if x < width && y < height {
                *resized.get_pixel(x, y)
            } else {
                [PADDING; 3].into()
            }
        })
    }

    /// Takes a box in pixels of the input back to the image.
    pub(crate) fn to_image(self, [x1, y1, x2, y2]: [f64; 4]) -> [f64; 4] {
        let x = f64::from(self.image.0) / f64::from(self.resized.0);
        let y = f64::from(self.image.1) / f64::from(self.resized.1);
        clip([x1 * x, y1 * y, x2 * x, y2 * y], self.image)
    }
}

/// Scales an image as far as it fits, sides rounded half up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides are at most the input's"
)]
fn fitted(image: (u32, u32), size: (u32, u32)) -> (u32, u32) {
    let (long, short) = (size.0.max(size.1), size.0.min(size.1));
    let factor = (f64::from(long) / f64::from(image.0.max(image.1)))
        .min(f64::from(short) / f64::from(image.0.min(image.1)))
        .min(f64::from(size.0) / f64::from(image.0))
        .min(f64::from(size.1) / f64::from(image.1));
    let scaled = |length: u32, max: u32| ((f64::from(length) * factor + 0.5) as u32).clamp(1, max);
    (scaled(image.0, size.0), scaled(image.1, size.1))
}

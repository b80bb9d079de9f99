//! Lines of text, cut out of a page.

use image::{ImageBuffer, Pixel, imageops};

use super::{
    linear,
    warp::{self, Border, Interpolation},
};
use crate::boxes::Quad;

/// A crop with more height by width is turned, since its text runs downwards; the number is
/// PaddleOCR's.
const TALL: f64 = 1.5;

/// Cuts boxes out of images and sets them upright, as OpenCV's `getPerspectiveTransform` and
/// `warpPerspective` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cropper {
    interpolation: Interpolation,
    border: Border,
}

impl Cropper {
    /// Creates a cropper.
    pub fn new(interpolation: Interpolation, border: Border) -> Self {
        Self {
            interpolation,
            border,
        }
    }

    /// Returns the part of an image inside a box, whose corners become those of the crop: the first
    /// one its top left corner, then clockwise.
    ///
    /// `size` is width and height of the crop; `last` is the position of its last corner, which is
    /// the size itself in PaddleOCR, and less by one in EasyOCR. Nothing comes of an empty crop or
    /// image, nor of a box without area.
    pub fn crop<P: Pixel<Subpixel = u8>>(
        &self,
        image: &ImageBuffer<P, Vec<u8>>,
        quad: &Quad,
        size: (u32, u32),
        last: (u32, u32),
    ) -> Option<ImageBuffer<P, Vec<u8>>> {
        if size.0 == 0 || size.1 == 0 || image.width() == 0 || image.height() == 0 {
            return None;
        }
        if let Some(copied) = copied(image, quad, size, last) {
            return Some(copied);
        }
        let transform = warp::transform(quad, last)?;
        Some(match self.interpolation {
            Interpolation::Linear => linear::warp(image, &transform, size, self.border),
            Interpolation::Cubic => warp::warp(image, &transform, size, self.border),
        })
    }

    /// Returns the part of an image inside a box as PaddleOCR cuts it: as wide and high as the
    /// longer of each two sides, and turned by a quarter if it is tall.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lengths within an image; the library rounds them down"
    )]
    pub fn line<P: Pixel<Subpixel = u8> + 'static>(
        &self,
        image: &ImageBuffer<P, Vec<u8>>,
        quad: &Quad,
    ) -> Option<ImageBuffer<P, Vec<u8>>> {
        let [top, right, bottom, left] = quad.sides();
        let size = (top.max(bottom) as u32, left.max(right) as u32);
        self.crop(image, quad, size, size).map(turned_if_tall)
    }
}

/// Turns a crop against the clock if its text runs downwards, as PaddleOCR does.
pub fn turned_if_tall<P: Pixel<Subpixel = u8> + 'static>(
    crop: ImageBuffer<P, Vec<u8>>,
) -> ImageBuffer<P, Vec<u8>> {
    if f64::from(crop.height()) / f64::from(crop.width()) >= TALL {
        return imageops::rotate270(&crop);
    }
    crop
}

/// Returns a crop whose pixels are those of the image: an upright box on whole pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "whole positions within the image"
)]
fn copied<P: Pixel<Subpixel = u8>>(
    image: &ImageBuffer<P, Vec<u8>>,
    quad: &Quad,
    (width, height): (u32, u32),
    last: (u32, u32),
) -> Option<ImageBuffer<P, Vec<u8>>> {
    let [x1, y1, ..] = quad.bounds();
    let is_inside = x1 >= 0.0
        && y1 >= 0.0
        && x1.fract() == 0.0
        && y1.fract() == 0.0
        && x1 + width as f32 <= image.width() as f32
        && y1 + height as f32 <= image.height() as f32;
    let fits = Quad::upright([x1, y1, x1 + last.0 as f32, y1 + last.1 as f32]) == *quad;
    if !is_inside || !fits {
        return None;
    }
    let part = imageops::crop_imm(image, x1 as u32, y1 as u32, width, height);
    let n_channels = usize::from(P::CHANNEL_COUNT);
    let (image, (left, top)) = (part.inner(), (x1 as usize, y1 as usize));
    let rows = image
        .as_raw()
        .chunks_exact(image.width() as usize * n_channels);
    let rows = rows.skip(top).take(height as usize);
    let pixels = rows.flat_map(|row| {
        let start = left * n_channels;
        row[start..start + width as usize * n_channels]
            .iter()
            .copied()
    });
    ImageBuffer::from_raw(width, height, pixels.collect())
}

//! Grey levels of images, as OpenCV reads them from files.

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, metadata::Orientation};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

/// Bits after the point of the weights.
const BITS: u32 = 15;
/// Weights of red, green and blue: 0.299, 0.587 and 0.114.
const WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// Returns the grey levels of an image, rounded to the nearest as OpenCV's `cvtColor` does.
pub fn to_grey(image: &RgbImage) -> GrayImage {
    weighted(image, 1 << (BITS - 1))
}

/// Returns the grey levels of an upright image, as OpenCV's `imread` reads them from its file: the
/// brightness that a JPEG file stores, which differs by up to 30 levels from what its colours give
/// where those are strong; of a PNG file they are rounded down.
pub(super) fn of_file(
    image: &RgbImage,
    (bytes, format): (&[u8], ImageFormat),
    orientation: Orientation,
) -> GrayImage {
    match format {
        ImageFormat::Jpeg => brightness(bytes, orientation)
            .filter(|grey| grey.dimensions() == image.dimensions())
            .unwrap_or_else(|| to_grey(image)),
        ImageFormat::Png => weighted(image, 0),
        _ => to_grey(image),
    }
}

fn weighted(image: &RgbImage, rounding: u32) -> GrayImage {
    let pixels = image.as_raw().as_chunks::<3>().0.iter();
    let levels = pixels.map(|pixel| {
        let weighted = pixel.iter().zip(WEIGHTS);
        let sum: u32 = weighted
            .map(|(value, weight)| u32::from(*value) * weight)
            .sum();
        u8::try_from((sum + rounding) >> BITS).expect("a weighted mean of bytes is a byte")
    });
    GrayImage::from_raw(image.width(), image.height(), levels.collect())
        .expect("one level for each pixel")
}

/// Decodes the brightness of a JPEG file without its colours. `None` for a file that has none, as
/// those in CMYK, and for a broken one.
fn brightness(bytes: &[u8], orientation: Orientation) -> Option<GrayImage> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    if !matches!(
        decoder.input_colorspace()?,
        ColorSpace::YCbCr | ColorSpace::Luma
    ) {
        return None;
    }
    let (width, height) = decoder.dimensions()?;
    let levels = decoder.decode().ok()?;
    let size = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let grey = GrayImage::from_raw(size.0, size.1, levels)?;
    let mut upright = DynamicImage::ImageLuma8(grey);
    upright.apply_orientation(orientation);
    Some(upright.into_luma8())
}

//! From colours to grey levels.

use image::GrayImage;
use label_studio_vision::images::RgbImage;

/// Bits after the point of the weights.
const BITS: u32 = 15;
/// Weights of red, green and blue: 0.299, 0.587 and 0.114, as OpenCV and libpng have them.
const WEIGHTS: [u32; 3] = [9798, 19235, 3735];

/// Returns the grey levels of an image, as OpenCV reads them from a PNG file: rounded down.
pub(crate) fn grey(image: &RgbImage) -> GrayImage {
    let pixels = image.as_raw().as_chunks::<3>().0.iter();
    let levels = pixels.map(|pixel| {
        let weighted = pixel.iter().zip(WEIGHTS);
        let sum: u32 = weighted
            .map(|(value, weight)| u32::from(*value) * weight)
            .sum();
        u8::try_from(sum >> BITS).expect("a weighted mean of bytes is a byte")
    });
    GrayImage::from_raw(image.width(), image.height(), levels.collect())
        .expect("one level for each pixel")
}

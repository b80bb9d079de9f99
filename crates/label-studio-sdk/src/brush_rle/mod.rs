//! Brush masks the way Label Studio stores them: RGBA pixels, run-length packed into a list of bytes.
//!
//! A mask here has one byte per pixel, row by row: 0 is empty, 255 is painted. Label Studio repeats every pixel
//! four times (red, green, blue, alpha) and reads back the alpha channel only. The packed stream, most significant
//! bit first, is: 32 bits number of values, 5 bits word size minus 1, four times 4 bits run-length size minus 1,
//! then packets of 1 bit kind (run or literal), 2 bits size class, the count minus 1, and one word for a run or
//! `count` words for a literal. Between 1 and 8 zero bits end it.
//!
//! ```
//! use label_studio_sdk::brush_rle;
//!
//! let mask = [255, 0, 0, 255];
//! let rle = brush_rle::encode_mask(2, 2, &mask)?;
//! assert_eq!(rle, [0, 0, 0, 16, 57, 27, 252, 127, 243, 128, 71, 254]);
//! assert_eq!(brush_rle::decode(&rle, 2, 2, 1_000_000)?, mask);
//! # Ok::<(), brush_rle::BrushRleError>(())
//! ```

mod decoder;
mod encoder;
mod error;

use serde_json::{Map, Value};

pub use self::error::BrushRleError;
use self::{decoder::Decoder, encoder::Encoder};

/// Brightness above which [`threshold`] takes a pixel of a greyscale image as painted, as Label Studio does.
pub const IMAGE_THRESHOLD: u8 = 128;

/// Packs a mask, given as one byte per pixel, row by row.
///
/// Fails only for a mask of 2³⁰ pixels or more.
pub fn encode(mask: &[u8]) -> Result<Vec<u8>, BrushRleError> {
    encode_rows([mask])
}

/// Packs a mask of `width` x `height` pixels after checking its length.
pub fn encode_mask(width: u32, height: u32, mask: &[u8]) -> Result<Vec<u8>, BrushRleError> {
    if mask.len() as u64 != u64::from(width) * u64::from(height) {
        let len = mask.len();
        return Err(BrushRleError::MaskSize { width, height, len });
    }
    encode(mask)
}

/// Packs a mask whose rows lie apart, such as a view into a larger one.
pub fn encode_rows<'a>(rows: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BrushRleError> {
    let mut encoder = Encoder::new(CHANNELS);
    for row in rows {
        encoder.push(row);
    }
    encoder.finish()
}

/// Packs plain values without repeating them four times.
pub fn encode_values(values: &[u8]) -> Result<Vec<u8>, BrushRleError> {
    let mut encoder = Encoder::new(1);
    encoder.push(values);
    encoder.finish()
}

/// Builds the value of a brush region, `{"format": "rle", "rle": [..]}`, to which the labels are still to be added.
///
/// Label Studio also wants the image's size on the region, see [`Region::with_image_size`](crate::Region::with_image_size).
pub fn region_value(
    width: u32,
    height: u32,
    mask: &[u8],
) -> Result<Map<String, Value>, BrushRleError> {
    let rle = encode_mask(width, height, mask)?;
    Ok(Map::from_iter([
        ("format".to_owned(), Value::from("rle")),
        ("rle".to_owned(), Value::from(rle)),
    ]))
}

/// Turns every pixel above `limit` into 255 and the others into 0.
///
/// Use [`IMAGE_THRESHOLD`] for a greyscale image and 0 for a mask of zeros and ones.
pub fn threshold(pixels: &[u8], limit: u8) -> Vec<u8> {
    pixels.iter().map(|&pixel| paint(pixel > limit)).collect()
}

/// Turns a mask of booleans into one of 0 and 255.
pub fn from_bools(mask: &[bool]) -> Vec<u8> {
    mask.iter().map(|&painted| paint(painted)).collect()
}

/// Unpacks the mask of an image: one byte per pixel, row by row, painted where it is above 0.
///
/// Reads the alpha channel, as Label Studio does; words wider than 8 bits saturate at 255. Fails when the stream is
/// for another size or damaged, or when the image has more than `max_pixels`, which bounds the memory used.
pub fn decode(
    rle: &[u8],
    width: u32,
    height: u32,
    max_pixels: u64,
) -> Result<Vec<u8>, BrushRleError> {
    // No overflow goes unseen: a saturated number is larger than any that a stream can announce.
    let values = (u64::from(width) * u64::from(height)).saturating_mul(CHANNELS);
    check_limit(values, max_pixels.saturating_mul(CHANNELS))?;
    let decoder = Decoder::new(rle)?;
    let announced = decoder.announced;
    if u64::from(announced) != values {
        return Err(BrushRleError::SizeMismatch {
            announced,
            width,
            height,
        });
    }
    let mut mask = Vec::new();
    let mut end = 0_usize;
    decoder.for_each_run(|value, count| {
        end += count as usize;
        // A value belongs to the alpha channel of its pixel when it is the fourth, so a pixel is known once it is complete.
        mask.resize(end / 4, u8::try_from(value).unwrap_or(u8::MAX));
    })?;
    Ok(mask)
}

/// Unpacks plain values, of which the stream may announce at most `max_values`.
pub fn decode_values(rle: &[u8], max_values: u64) -> Result<Vec<u32>, BrushRleError> {
    let decoder = Decoder::new(rle)?;
    check_limit(u64::from(decoder.announced), max_values)?;
    let mut values = Vec::new();
    decoder.for_each_run(|value, count| values.resize(values.len() + count as usize, value))?;
    Ok(values)
}

/// Values per pixel: red, green, blue, alpha.
const CHANNELS: u64 = 4;

fn paint(painted: bool) -> u8 {
    if painted { u8::MAX } else { 0 }
}

fn check_limit(announced: u64, limit: u64) -> Result<(), BrushRleError> {
    if announced > limit {
        return Err(BrushRleError::Limit { announced, limit });
    }
    Ok(())
}

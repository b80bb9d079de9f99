//! From a file's bytes to upright RGB pixels.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, RgbImage,
    codecs::png::PngDecoder, metadata::Orientation,
};

use super::{ImageError, grey};

/// The most bytes a pixel takes while it is decoded: four channels of a float.
const MAX_BYTES_PER_PIXEL: u64 = 16;
/// The most bytes that a PNG file may take before its pixels are decoded, besides those of the file
/// itself.
const MAX_METADATA_BYTES: u64 = 16 << 20;

/// How large an image may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Limits {
    /// Largest size of an image file in bytes
    #[arg(long = "max-image-bytes", env = "MAX_IMAGE_BYTES", default_value_t = Self::default().max_bytes)]
    pub max_bytes: u64,
    /// Largest number of pixels of an image
    #[arg(long = "max-image-pixels", env = "MAX_IMAGE_PIXELS", default_value_t = Self::default().max_pixels)]
    pub max_pixels: u64,
}

impl Default for Limits {
    /// 512 MiB, and the number of pixels above which Pillow refuses an image as a decompression
    /// bomb.
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            max_pixels: 178_956_970,
        }
    }
}

/// Reads and decodes the image at `path`, see [`decode`].
pub fn open(path: &Path, limits: &Limits) -> Result<RgbImage, ImageError> {
    let bytes = read(path, limits)?;
    decode(&bytes, limits).map_err(|source| in_file(path, source))
}

/// Returns width and height of the image at `path`, upright, without decoding it.
pub fn upright_size(path: &Path, limits: &Limits) -> Result<(u32, u32), ImageError> {
    let bytes = read(path, limits)?;
    let encoded = Encoded::new(&bytes, limits);
    let mut encoded = encoded.map_err(|source| in_file(path, source))?;
    Ok(encoded.size())
}

/// Decodes an image, whatever its name says, and turns it upright as its EXIF orientation asks.
///
/// Grey becomes RGB, transparency is dropped and not blended, 16 bits keep their upper 8 (as
/// `OpenCV` does), CMYK is converted, and of an animation the first frame counts. Sizes are checked
/// before memory is taken.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage, ImageError> {
    Encoded::new(bytes, limits)?.decode()
}

pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, ImageError> {
    let unreadable = |source| ImageError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits.max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

pub(crate) fn in_file(path: &Path, source: ImageError) -> ImageError {
    ImageError::File {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

/// An image within the limits that is still to be decoded.
pub(crate) struct Encoded<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    bytes: &'a [u8],
    /// Format of the file.
    pub(crate) format: ImageFormat,
    /// Width times height.
    pub(super) n_pixels: u64,
}

impl<'a> Encoded<'a> {
    pub(crate) fn new(bytes: &'a [u8], limits: &Limits) -> Result<Self, ImageError> {
        let n_bytes = bytes.len() as u64;
        if n_bytes == 0 {
            return Err(ImageError::Empty);
        }
        if n_bytes > limits.max_bytes {
            return Err(ImageError::TooManyBytes {
                bytes: n_bytes,
                max: limits.max_bytes,
            });
        }
        let not_an_image = || ImageError::NotAnImage {
            found: describe(bytes),
        };
        let format = image::guess_format(bytes).map_err(|_| not_an_image())?;
        if !format.reading_enabled() {
            return Err(not_an_image());
        }
        let mut decoder = decoder(bytes, format)?;
        let (width, height) = decoder.dimensions();
        let n_pixels = u64::from(width) * u64::from(height);
        if n_pixels > limits.max_pixels {
            return Err(ImageError::TooManyPixels {
                width,
                height,
                max: limits.max_pixels,
            });
        }
        let mut decoder_limits = image::Limits::no_limits();
        decoder_limits.max_alloc = Some(limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL));
        decoder.set_limits(decoder_limits)?;
        Ok(Self {
            decoder,
            bytes,
            format,
            n_pixels,
        })
    }

    /// Returns how the pixels are to be turned. Images with a broken EXIF block can still be used.
    pub(crate) fn orientation(&mut self) -> Orientation {
        let orientation = self.decoder.orientation();
        orientation.unwrap_or(Orientation::NoTransforms)
    }

    /// Returns width and height of the upright image.
    pub(crate) fn size(&mut self) -> (u32, u32) {
        let (width, height) = self.decoder.dimensions();
        match self.orientation() {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            Orientation::NoTransforms
            | Orientation::Rotate180
            | Orientation::FlipHorizontal
            | Orientation::FlipVertical => (width, height),
        }
    }

    /// Decodes the image upright, with the channels that it has.
    #[cfg(feature = "llm")]
    pub(super) fn decode_channels(mut self) -> Result<DynamicImage, ImageError> {
        let orientation = self.orientation();
        let mut image = DynamicImage::from_decoder(self.decoder)?;
        image.apply_orientation(orientation);
        Ok(image)
    }

    /// Decodes the image, and its grey levels as OpenCV reads them.
    pub(super) fn decode_with_grey(mut self) -> Result<(RgbImage, GrayImage), ImageError> {
        let (file, orientation) = ((self.bytes, self.format), self.orientation());
        let image = self.decode()?;
        let grey = grey::of_file(&image, file, orientation);
        Ok((image, grey))
    }

    pub(super) fn decode(mut self) -> Result<RgbImage, ImageError> {
        let orientation = self.orientation();
        let pixels = into_rgb(DynamicImage::from_decoder(self.decoder)?);
        let mut upright = DynamicImage::ImageRgb8(pixels);
        upright.apply_orientation(orientation);
        Ok(upright.into_rgb8())
    }
}

/// Reads what stands before the pixels.
fn decoder(bytes: &[u8], format: ImageFormat) -> Result<Box<dyn ImageDecoder + '_>, ImageError> {
    if format == ImageFormat::Png {
        // A colour profile is packed, and may unpack to a thousand times its size; one that is too
        // large is left out.
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(MAX_METADATA_BYTES.saturating_add(bytes.len() as u64));
        let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits)?;
        return Ok(Box::new(decoder));
    }
    let decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder()?;
    Ok(Box::new(decoder))
}

fn into_rgb(image: DynamicImage) -> RgbImage {
    let (width, height) = (image.width(), image.height());
    let from_16_bits = |samples: Vec<u16>, n_channels: usize| {
        let pixels = samples.chunks_exact(n_channels).flat_map(|pixel| {
            let [red, green, blue] = match *pixel {
                [red, green, blue, ..] => [red, green, blue],
                [grey, ..] => [grey; 3],
                [] => unreachable!("no channel layout is empty"),
            };
            [red, green, blue].map(|sample| sample.to_be_bytes()[0])
        });
        RgbImage::from_raw(width, height, pixels.collect())
            .expect("one pixel for each of the source")
    };
    match image {
        DynamicImage::ImageLuma16(image) => from_16_bits(image.into_raw(), 1),
        DynamicImage::ImageLumaA16(image) => from_16_bits(image.into_raw(), 2),
        DynamicImage::ImageRgb16(image) => from_16_bits(image.into_raw(), 3),
        DynamicImage::ImageRgba16(image) => from_16_bits(image.into_raw(), 4),
        image => image.into_rgb8(),
    }
}

fn describe(bytes: &[u8]) -> &'static str {
    let start = bytes.trim_ascii_start();
    let starts_with = |text: &str| {
        start
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text.as_bytes()))
    };
    if starts_with("<!doctype html") || starts_with("<html") {
        "file is a web page (does its address ask for a login?)"
    } else if starts_with("<?xml") || starts_with("<svg") {
        "file is XML or SVG"
    } else if starts_with("{") || starts_with("[") {
        "file is JSON"
    } else if starts_with("%PDF") {
        "file is a PDF"
    } else if bytes.get(4..8) == Some(b"ftyp") {
        "file is HEIC, AVIF or a video"
    } else {
        "file is of an unknown kind"
    }
}

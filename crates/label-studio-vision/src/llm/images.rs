//! Images as models and tesseract take them.

use std::{
    fs,
    io::{self, Cursor},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use image::{
    DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader,
    codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation,
};

use label_studio_inference::program::{Program, ProgramError, ProgramLimits};

/// From 1 to 100; at 90 text in photographs stays legible.
const JPEG_QUALITY: u8 = 90;
/// Largest image that is decoded: about 90 megapixels. Several tasks are worked on at once.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// Size of images, and OCR
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Images")]
pub struct LlmImageArgs {
    /// Longer side, in pixels, that images are reduced to before they are sent
    #[arg(long, env = "MAX_IMAGE_SIDE", default_value = "2048")]
    pub max_image_side: NonZeroU32,

    /// Program that reads the text of images
    #[arg(long, env = "TESSERACT_CMD", default_value = "tesseract")]
    pub tesseract_cmd: PathBuf,

    /// Languages of the text in images, for tesseract: eng, or several as in deu+eng
    #[arg(long, env = "OCR_LANGUAGE", default_value = "eng")]
    pub ocr_language: String,
}

/// Why an image cannot be sent, or its text not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmImageError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the file is no image that can be read")]
    NoImage(#[source] ImageError),
    /// The image ends early or contradicts itself.
    #[error("the image is broken")]
    Broken(#[source] ImageError),
    /// The image would take too much memory.
    #[error("the image has {width} x {height} pixels, which is too much to be decoded")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Pixels in a column.
        height: u32,
    },
    /// The image cannot be written in another format.
    #[error("the image cannot be written")]
    Write(#[source] ImageError),
    /// The program that reads the text failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl LlmImageArgs {
    /// Reads an image that chat models take, upright and reduced, as a `data:` address: PNG, JPEG, GIF or WebP.
    pub fn data_url(&self, path: &Path) -> Result<String, LlmImageError> {
        const FORMATS: [ImageFormat; 4] = [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::WebP,
            ImageFormat::Gif,
        ];
        let max_side = self.max_image_side.get();
        let Prepared { format, bytes } = Prepared::read(path, &FORMATS, Some(max_side))?;
        Ok(data_url(format.to_mime_type(), &bytes))
    }

    /// Reads the text in an image, upright, with tesseract, which gets a minute at most, or less
    /// with less of `time` left.
    pub fn text(&self, path: &Path, time: Duration) -> Result<String, LlmImageError> {
        let formats = [ImageFormat::Png, ImageFormat::Jpeg];
        let Prepared { bytes, .. } = Prepared::read(path, &formats, None)?;
        let tesseract = Program {
            path: &self.tesseract_cmd,
            setting: "TESSERACT_CMD",
        };
        let args = ["stdin", "stdout", "-l", &self.ocr_language];
        let mut limits = ProgramLimits::default();
        limits.time = limits.time.min(time);
        let text = tesseract.text(args, bytes, limits)?;
        Ok(text.trim_end_matches('\u{c}').to_owned())
    }
}

/// Writes a file as an address that holds it.
pub fn data_url(media_type: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:{media_type};base64,");
    STANDARD.encode_string(bytes, &mut url);
    url
}

/// An image in a format that everybody takes, upright.
struct Prepared {
    format: ImageFormat,
    bytes: Vec<u8>,
}

impl Prepared {
    /// Reads an image. One that is small enough, upright and of one of `formats` stays as it is.
    fn read(
        path: &Path,
        formats: &[ImageFormat],
        max_side: Option<u32>,
    ) -> Result<Self, LlmImageError> {
        let bytes = fs::read(path).map_err(|source| LlmImageError::Read {
            path: path.to_owned(),
            source,
        })?;
        let format = image::guess_format(&bytes).map_err(LlmImageError::NoImage)?;
        let reader = ImageReader::with_format(Cursor::new(&bytes), format);
        let mut decoder = reader.into_decoder().map_err(LlmImageError::Broken)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let (width, height) = decoder.dimensions();
        let fits = max_side.is_none_or(|side| width.max(height) <= side);
        if fits && orientation == Orientation::NoTransforms && formats.contains(&format) {
            drop(decoder);
            return Ok(Self { format, bytes });
        }
        if decoder.total_bytes() > MAX_DECODED_BYTES {
            return Err(LlmImageError::TooLarge { width, height });
        }
        let mut image = DynamicImage::from_decoder(decoder).map_err(LlmImageError::Broken)?;
        image.apply_orientation(orientation);
        if let Some(side) = max_side.filter(|_| !fits) {
            image = image.resize(side, side, FilterType::Triangle);
        }
        Self::encode(&image, formats).map_err(LlmImageError::Write)
    }

    fn encode(image: &DynamicImage, formats: &[ImageFormat]) -> image::ImageResult<Self> {
        let mut bytes = Vec::new();
        let takes_jpeg = formats.contains(&ImageFormat::Jpeg) && !image.color().has_alpha();
        let format = if takes_jpeg {
            let rgb = image.to_rgb8();
            rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
            ImageFormat::Jpeg
        } else {
            let rgba = image.to_rgba8();
            rgba.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
            ImageFormat::Png
        };
        Ok(Self { format, bytes })
    }
}

//! Images as language models and tesseract accept them.

use std::{
    io::Cursor,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use image::{
    DynamicImage, ImageFormat, codecs::jpeg::JpegEncoder, imageops::FilterType,
    metadata::Orientation,
};
use label_studio_inference::program::{Program, ProgramError, ProgramLimits};

use crate::images::{
    ImageArgs, ImageError, ImageReader,
    decode::{Encoded, in_file, read},
};

/// From 1 to 100; at 90 text in photographs stays legible.
const JPEG_QUALITY: u8 = 90;
/// Formats that chat models accept.
const CHAT_FORMATS: [ImageFormat; 4] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
];
/// Formats that tesseract reads wherever it is installed.
const TESSERACT_FORMATS: [ImageFormat; 2] = [ImageFormat::Png, ImageFormat::Jpeg];

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

    /// Which images are accepted.
    #[command(flatten)]
    pub accepted: ImageArgs,
}

/// Why an image cannot be sent, or its text not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LlmImageError {
    /// The image cannot be read or decoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The image cannot be written in another format.
    #[error("the image cannot be written")]
    Write(#[source] image::ImageError),
    /// The program that reads the text failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl LlmImageArgs {
    /// Creates what reads images, one for all requests of a backend.
    pub fn images(&self) -> LlmImages {
        LlmImages {
            args: self.clone(),
            reader: self.accepted.reader(),
        }
    }
}

/// Reads images for language models, within limits. One for all requests of a backend, so that the
/// memory of all of them is bounded.
#[derive(Debug)]
pub struct LlmImages {
    args: LlmImageArgs,
    reader: ImageReader,
}

impl LlmImages {
    /// Returns an image that chat models accept, upright and reduced, as a `data:` URL: PNG, JPEG,
    /// GIF or WebP.
    pub fn data_url(&self, path: &Path) -> Result<String, LlmImageError> {
        let max_side = self.args.max_image_side.get();
        let image = self.prepare(path, &CHAT_FORMATS, Some(max_side))?;
        Ok(data_url(image.format.to_mime_type(), &image.bytes))
    }

    /// Reads the text in an image, upright, with tesseract, which gets a minute at most, or less
    /// with less of `time` left.
    pub fn text(&self, path: &Path, time: Duration) -> Result<String, LlmImageError> {
        let image = self.prepare(path, &TESSERACT_FORMATS, None)?;
        let tesseract = Program {
            path: &self.args.tesseract_cmd,
            setting: "TESSERACT_CMD",
        };
        let args = ["stdin", "stdout", "-l", &self.args.ocr_language];
        let mut limits = ProgramLimits::default();
        limits.time = limits.time.min(time);
        let text = tesseract.text(args, image.bytes, limits)?;
        Ok(text.trim_end_matches('\u{c}').to_owned())
    }

    /// Reads an image. One that is small enough, upright and of one of `formats` stays as it is.
    fn prepare(
        &self,
        path: &Path,
        formats: &[ImageFormat],
        max_side: Option<u32>,
    ) -> Result<Prepared, LlmImageError> {
        let ImageReader { limits, budget } = &self.reader;
        let bytes = read(path, limits)?;
        let in_file = |source| in_file(path, source);
        let mut encoded = Encoded::new(&bytes, limits).map_err(in_file)?;
        let (width, height) = encoded.size();
        let format = encoded.format;
        let is_upright = encoded.orientation() == Orientation::NoTransforms;
        let max_side = max_side.filter(|side| width.max(height) > *side);
        if max_side.is_none() && is_upright && formats.contains(&format) {
            drop(encoded);
            return Ok(Prepared { format, bytes });
        }
        let written = budget.with_channels(encoded, |image| match max_side {
            Some(side) => encode(&image.resize(side, side, FilterType::Triangle), formats),
            None => encode(&image, formats),
        });
        written.map_err(in_file)?.map_err(LlmImageError::Write)
    }
}

/// Writes a file as a URL that holds it.
pub fn data_url(media_type: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:{media_type};base64,");
    STANDARD.encode_string(bytes, &mut url);
    url
}

/// An upright image in an accepted format.
struct Prepared {
    format: ImageFormat,
    bytes: Vec<u8>,
}

fn encode(image: &DynamicImage, formats: &[ImageFormat]) -> image::ImageResult<Prepared> {
    let mut bytes = Vec::new();
    let accepts_jpeg = formats.contains(&ImageFormat::Jpeg) && !image.color().has_alpha();
    let format = if accepts_jpeg {
        let rgb = image.to_rgb8();
        rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        ImageFormat::Jpeg
    } else {
        let rgba = image.to_rgba8();
        rgba.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
        ImageFormat::Png
    };
    Ok(Prepared { format, bytes })
}

//! Images as models and tesseract take them.

use std::{ffi::OsStr, fs, io::Cursor, num::NonZeroU32, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, codecs::jpeg::JpegEncoder,
    imageops::FilterType, metadata::Orientation,
};
use label_studio_ml::anyhow::{self, Context, bail};
use label_studio_services::Deadline;

use crate::{MediaArgs, program::printed_by};

const JPEG_QUALITY: u8 = 90;
/// Largest image that is decoded: about 90 megapixels. Several tasks are worked on at once.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// An image in a format that everybody takes, upright.
pub(crate) struct Picture {
    format: ImageFormat,
    bytes: Vec<u8>,
}

impl Picture {
    /// Reads an image. One that is small enough, upright and of one of `formats` stays as it is.
    fn read(path: &Path, formats: &[ImageFormat], max_side: Option<u32>) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let format =
            image::guess_format(&bytes).context("the file is no image that can be read")?;
        let reader = ImageReader::with_format(Cursor::new(&bytes), format);
        let mut decoder = reader.into_decoder().context("the image is broken")?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let (width, height) = decoder.dimensions();
        let fits = max_side.is_none_or(|side| width.max(height) <= side);
        if fits && orientation == Orientation::NoTransforms && formats.contains(&format) {
            drop(decoder);
            return Ok(Self { format, bytes });
        }
        if decoder.total_bytes() > MAX_DECODED_BYTES {
            bail!("the image has {width} x {height} pixels, which is too much to be decoded");
        }
        let mut image = DynamicImage::from_decoder(decoder).context("the image is broken")?;
        image.apply_orientation(orientation);
        if let Some(side) = max_side.filter(|_| !fits) {
            image = image.resize(side, side, FilterType::Triangle);
        }
        Self::encode(&image, formats).context("the image cannot be written")
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

    /// Reads an image that chat models take, as a `data:` address.
    pub(crate) fn data_url(path: &Path, max_side: NonZeroU32) -> anyhow::Result<String> {
        const FORMATS: [ImageFormat; 4] = [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::WebP,
            ImageFormat::Gif,
        ];
        let Self { format, bytes } = Self::read(path, &FORMATS, Some(max_side.get()))?;
        Ok(data_url(format.to_mime_type(), &bytes))
    }

    /// Reads the text in an image.
    pub(crate) fn text(
        media: &MediaArgs,
        path: &Path,
        deadline: Deadline,
    ) -> anyhow::Result<String> {
        let Self { bytes, .. } = Self::read(path, &[ImageFormat::Png, ImageFormat::Jpeg], None)?;
        let args = ["stdin", "stdout", "-l", &media.ocr_language].map(OsStr::new);
        let text = printed_by(
            &media.tesseract_cmd,
            "TESSERACT_CMD",
            &args,
            bytes,
            deadline,
        )?;
        Ok(text.trim_end_matches('\u{c}').to_owned())
    }
}

/// Writes a file as an address that holds it.
pub(crate) fn data_url(media_type: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:{media_type};base64,");
    STANDARD.encode_string(bytes, &mut url);
    url
}

//! Why an image cannot be used.

use std::{io, path::PathBuf};

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be read.
    #[error("cannot read image file {path}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The content of the file cannot be used.
    #[error("cannot use image file {path}")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with the content.
        source: Box<Self>,
    },
    /// There is no content.
    #[error("image has 0 bytes")]
    Empty,
    /// The file is larger than allowed.
    #[error("image has {bytes} bytes, at most {max} are allowed (MAX_IMAGE_BYTES)")]
    TooManyBytes {
        /// Size of the file.
        bytes: u64,
        /// Allowed size.
        max: u64,
    },
    /// The image would need too much memory.
    #[error(
        "image has {width}x{height} pixels, at most {max} in total are allowed (MAX_IMAGE_PIXELS)"
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Allowed number of pixels.
        max: u64,
    },
    /// The content is no image.
    #[error("{found}, not an image that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF)")]
    NotAnImage {
        /// The kind of the content.
        found: &'static str,
    },
    /// The content starts like an image and cannot be decoded.
    #[error("image is damaged or of an unsupported kind")]
    Damaged(#[from] image::ImageError),
}

//! Reading images within limits and a budget.

use std::path::Path;

use image::{GrayImage, RgbImage};

use super::{DecodeBudget, ImageError, Limits, decode::Encoded};

/// Which images are accepted
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Images")]
pub struct ImageArgs {
    /// How large one image may be.
    #[command(flatten)]
    pub limits: Limits,
    /// Pixels of images that are decoded at a time, over all requests
    #[arg(long, env = "MAX_DECODED_PIXELS", default_value_t = DecodeBudget::DEFAULT_PIXELS)]
    pub max_decoded_pixels: u64,
}

impl Default for ImageArgs {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            max_decoded_pixels: DecodeBudget::DEFAULT_PIXELS,
        }
    }
}

impl ImageArgs {
    /// Creates what reads images, one for all requests of a backend.
    pub fn reader(&self) -> ImageReader {
        ImageReader {
            limits: self.limits,
            budget: DecodeBudget::new(self.max_decoded_pixels),
        }
    }
}

/// Reads images within limits. One for all requests of a backend, so that its budget bounds the
/// memory of all of them.
#[derive(Debug)]
pub struct ImageReader {
    /// How large one image may be.
    pub limits: Limits,
    /// How many pixels may be decoded at a time.
    pub budget: DecodeBudget,
}

impl ImageReader {
    /// Decodes the image at `path` and hands it to `work`, whose end frees its share of the budget.
    pub fn open<T>(&self, path: &Path, work: impl FnOnce(&RgbImage) -> T) -> Result<T, ImageError> {
        self.budget.with_image(path, &self.limits, work)
    }

    /// Decodes the image at `path` and hands it to `work` with its grey levels, as OpenCV's `imread`
    /// reads them from the file.
    pub fn open_with_grey<T>(
        &self,
        path: &Path,
        work: impl FnOnce(&RgbImage, GrayImage) -> T,
    ) -> Result<T, ImageError> {
        self.budget.with_grey(path, &self.limits, work)
    }

    /// Decodes an image and hands it to `work`, as [`ImageReader::open`] does.
    pub fn decode<T>(
        &self,
        bytes: &[u8],
        work: impl FnOnce(&RgbImage) -> T,
    ) -> Result<T, ImageError> {
        let encoded = Encoded::new(bytes, &self.limits)?;
        self.budget.with_decoded(encoded, work)
    }
}

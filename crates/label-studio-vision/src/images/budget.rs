//! The memory that decoded images may take.

use std::{
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

#[cfg(feature = "llm")]
use image::DynamicImage;
use image::{GrayImage, RgbImage};

use super::{
    ImageError, Limits,
    decode::{Encoded, in_file, read},
};

/// Bounds how many pixels are decoded at a time, over all threads that share it.
///
/// A backend that scales each image down as soon as it is decoded, and lets it go, needs memory for
/// few of them, however many tasks and requests there are. Pixels take three bytes, while they are
/// decoded up to sixteen.
#[derive(Debug)]
pub struct DecodeBudget {
    max_pixels: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    n_pixels: u64,
    most_pixels: u64,
    /// Number of the next image that waits.
    next: u64,
    /// Number of the image that is served next: first in, first out, so that small images do not
    /// starve a large one.
    serving: u64,
}

impl DecodeBudget {
    /// Two images of the largest size that [`Limits`] allow by default would not fit, one does.
    pub const DEFAULT_PIXELS: u64 = 256 << 20;

    /// Creates a budget of `max_pixels`.
    pub fn new(max_pixels: u64) -> Self {
        Self {
            max_pixels,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Decodes the image at `path` and hands it to `work`, whose end frees its share of the budget.
    ///
    /// Waits until the share is free; an image that exceeds the whole budget waits until it is
    /// alone.
    pub fn with_image<T>(
        &self,
        path: &Path,
        limits: &Limits,
        work: impl FnOnce(&RgbImage) -> T,
    ) -> Result<T, ImageError> {
        let bytes = read(path, limits)?;
        let encoded = Encoded::new(&bytes, limits).map_err(|source| in_file(path, source))?;
        let _share = self.take(encoded.n_pixels);
        let image = encoded.decode().map_err(|source| in_file(path, source))?;
        drop(bytes);
        Ok(work(&image))
    }

    /// Decodes the image at `path` and its grey levels as OpenCV reads them from the file, and hands
    /// both to `work`, as [`DecodeBudget::with_image`] does.
    pub fn with_grey<T>(
        &self,
        path: &Path,
        limits: &Limits,
        work: impl FnOnce(&RgbImage, GrayImage) -> T,
    ) -> Result<T, ImageError> {
        let bytes = read(path, limits)?;
        let encoded = Encoded::new(&bytes, limits).map_err(|source| in_file(path, source))?;
        let _share = self.take(encoded.n_pixels);
        let decoded = encoded.decode_with_grey();
        let (image, grey) = decoded.map_err(|source| in_file(path, source))?;
        drop(bytes);
        Ok(work(&image, grey))
    }

    /// Returns the most pixels that were decoded at a time so far.
    pub fn most_pixels(&self) -> u64 {
        self.state().most_pixels
    }

    /// Decodes an image and hands it to `work`, as [`DecodeBudget::with_image`] does.
    pub(super) fn with_decoded<T>(
        &self,
        encoded: Encoded<'_>,
        work: impl FnOnce(&RgbImage) -> T,
    ) -> Result<T, ImageError> {
        let _share = self.take(encoded.n_pixels);
        Ok(work(&encoded.decode()?))
    }

    /// Decodes an image with the channels that it has and hands it to `work`, as
    /// [`DecodeBudget::with_image`] does.
    #[cfg(feature = "llm")]
    pub(crate) fn with_channels<T>(
        &self,
        encoded: Encoded<'_>,
        work: impl FnOnce(DynamicImage) -> T,
    ) -> Result<T, ImageError> {
        let _share = self.take(encoded.n_pixels);
        Ok(work(encoded.decode_channels()?))
    }

    fn take(&self, n_pixels: u64) -> Share<'_> {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let fits = |state: &State| {
            let free = self.max_pixels.saturating_sub(state.n_pixels);
            number == state.serving && (n_pixels <= free || state.n_pixels == 0)
        };
        while !fits(&state) {
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.serving += 1;
        state.n_pixels += n_pixels;
        state.most_pixels = state.most_pixels.max(state.n_pixels);
        drop(state);
        self.changed.notify_all();
        Share {
            budget: self,
            n_pixels,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pixels of the budget that are in use.
struct Share<'a> {
    budget: &'a DecodeBudget,
    n_pixels: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.state().n_pixels -= self.n_pixels;
        self.budget.changed.notify_all();
    }
}

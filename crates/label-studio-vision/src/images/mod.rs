//! Images: decoding within limits, orientation, resizing, normalising, percentages.
//!
//! A backend decodes a file once with [`open`], runs its model on the [`RgbImage`] that comes out
//! (upright, three channels of a byte), and reports that image's size. Each resize names the
//! library that it equals, since a model sees best what it was trained on. A backend reads images
//! through an [`ImageReader`], whose [`DecodeBudget`] bounds the memory of all requests, and finds
//! those of a task with [`task_images`], lists included.

mod budget;
pub(crate) mod decode;
mod error;
mod grey;
mod letterbox;
mod normalise;
mod percent;
mod preprocessor;
mod reader;
mod resize;
mod task_images;

pub use image::{GrayImage, Rgb, Rgb32FImage, RgbImage};

pub use budget::DecodeBudget;
pub use decode::{Limits, decode, open, upright_size};
pub use error::ImageError;
pub use grey::to_grey;
pub use letterbox::Letterbox;
pub use normalise::{Normalise, to_bgr};
pub use percent::{PercentBox, to_percent};
pub use preprocessor::{PreprocessorConfig, PreprocessorError};
pub use reader::{ImageArgs, ImageReader};
pub use resize::{Filter, MAX_ASPECT, centre_crop, resize, resize_f32, resize_shorter_side};
pub use task_images::{TaskImage, TaskImageError, task_images, with_item_index};

//! Images of tasks through models, in batches.
//!
//! A model implements [`BatchModel`]: it scales an image to its input, and runs inputs of one size
//! together. [`ImageBatches`] does the rest: it finds the images of each task, reads them within
//! its budget, lets go of an image as soon as it is scaled, and returns one result per task. What
//! does not come from tasks, such as the frames of a video, goes through [`in_batches`]; inputs
//! that are all there, such as the lines of a page, through [`run`]. Small inputs that gain nothing
//! from a batch run next to each other with [`in_parallel`]. The ONNX network of such a model
//! is an `ImageNetwork` (feature `inference`).
//!
//! ```
//! use label_studio_vision::{batches::{BatchModel, run}, images::RgbImage};
//!
//! /// Finds out how bright images are.
//! struct Brightness;
//!
//! impl BatchModel for Brightness {
//!     type Input = RgbImage;
//!     type Output = u8;
//!
//!     fn prepare(&self, image: &RgbImage) -> anyhow::Result<RgbImage> {
//!         Ok(image.clone())
//!     }
//!
//!     fn input_size(&self, input: &RgbImage) -> (u32, u32) {
//!         input.dimensions()
//!     }
//!
//!     fn run(&self, inputs: &[&RgbImage]) -> anyhow::Result<Vec<u8>> {
//!         Ok(inputs.iter().map(|image| image.as_raw()[0]).collect())
//!     }
//! }
//!
//! let outputs = run(&Brightness, &[RgbImage::new(2, 2)]);
//! assert_eq!(*outputs[0].as_ref().unwrap(), 0);
//! ```

mod joined;
mod model;
#[cfg(feature = "inference")]
mod network;
mod parallel;
mod stream;
mod tasks;

pub use joined::joined;
pub use model::{BatchModel, run};
#[cfg(feature = "inference")]
pub use network::ImageNetwork;
pub use parallel::in_parallel;
pub use stream::{Inputs, Outputs, in_batches};
pub use tasks::{ImageBatches, ImagesOfTasks, SeenImage};

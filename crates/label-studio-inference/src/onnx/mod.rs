//! ONNX models: which inputs and outputs a file has, and running it.
//!
//! A [`Runtime`] is made once from [`OnnxArgs`]; it finds ONNX Runtime on this machine and loads
//! files. A loaded file is an [`Engine`]: named tensors in, named tensors out. Names, types and
//! shapes come from the file, and [`Expected`] reports in one message what a backend needs and what
//! the file has. [`ByFile`] keeps loaded models.
//!
//! ```no_run
//! use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, OnnxArgs, Runtime};
//!
//! # fn main() -> anyhow::Result<()> {
//! let runtime = Runtime::new(&OnnxArgs::default())?;
//! let detector = runtime.load("yolo11n.onnx")?;
//! const DETECTOR: Expected<'_> = Expected {
//!     what: "an object detector",
//!     inputs: &[ExpectedTensor::f32("images", &[-1, 3, -1, -1])],
//!     outputs: &[ExpectedTensor::f32("output0", &[-1, -1, -1])],
//! };
//! DETECTOR.check(detector.as_ref())?;
//! let images = ndarray::Array4::<f32>::zeros((1, 3, 640, 640));
//! let [boxes] = detector.run_f32(&[("images", (&images).into())], ["output0"])?;
//! # Ok(())
//! # }
//! ```

mod args;
mod by_file;
mod element_type;
mod engine;
mod error;
mod expected;
mod file_kind;
mod library;
mod options;
mod pool;
#[cfg(feature = "rten")]
mod rten;
mod runtime;
mod sessions;
mod signature;
mod tensor;

pub use args::{Device, EngineKind, OnnxArgs};
pub use by_file::ByFile;
pub use element_type::ElementType;
pub use engine::Engine;
pub use error::OnnxError;
pub use expected::{Expected, ExpectedTensor};
pub use runtime::Runtime;
pub use signature::{Signature, TensorInfo};
pub use tensor::{Tensor, TensorView};

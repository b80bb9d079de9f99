//! Shared code of backends with a neural network, whatever they label.
//!
<<<<<<< HEAD
//! - [`hub`]: weights from a local path or from a model hub (feature `hub`).
//! - [`onnx`]: sessions on ONNX Runtime, or on a pure Rust engine (feature `onnx`).
//! - [`program`]: programs such as ffmpeg and tesseract, run within limits (feature `program`).
//! - [`InferenceArgs`]: the flags of the hub and the engine (feature `onnx`).
=======
//! - [`hub`]: weights from a local path, a model hub or a package index.
//! - [`onnx`]: sessions on ONNX Runtime, or on a pure Rust engine.
//! - [`InferenceArgs`]: the flags of both.
>>>>>>> 5be8999 (Fetch weights out of packages on a package index)

#[cfg(feature = "onnx")]
mod args;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "program")]
pub mod program;

#[cfg(feature = "onnx")]
pub use args::{Inference, InferenceArgs, InferenceError};

//! Shared code of backends with a neural network, whatever they label.
//!
//! - [`hub`]: weights from a local path, a model hub or a package index (feature
//!   `hub`).
//! - [`onnx`]: sessions on ONNX Runtime, or on a pure Rust engine (feature `onnx`).
//! - [`program`]: programs such as ffmpeg and tesseract, run within limits (feature `program`).
//! - [`InferenceArgs`]: the flags of the hub and the engine (feature `onnx`).

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

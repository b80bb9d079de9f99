//! Shared code of backends with a neural network, whatever they label.
//!
//! - [`hub`]: weights from a local path or from a model hub.
//! - [`onnx`]: sessions on ONNX Runtime, or on a pure Rust engine.
//! - [`InferenceArgs`]: the flags of both.

mod args;
pub mod hub;
pub mod onnx;

pub use args::{Inference, InferenceArgs, InferenceError};

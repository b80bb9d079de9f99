//! Why a model cannot be loaded or run.

use std::{error::Error, path::PathBuf};

use super::ElementType;

/// Why a model cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// ONNX Runtime is not installed.
    #[error(
        "ONNX Runtime is not installed: run `make setup`, or `pip install onnxruntime`, or set ORT_DYLIB_PATH to the \
         path of its library; looked in {}", searched.join(", ")
    )]
    LibraryMissing {
        /// Folders that were searched.
        searched: Vec<String>,
    },
    /// `ORT_DYLIB_PATH` is no library.
    #[error(
        "ORT_DYLIB_PATH is {path:?}, but there is no ONNX Runtime library there: correct it, or unset it and run \
         `make setup`"
    )]
    LibraryPath {
        /// The path given.
        path: PathBuf,
    },
    /// A library was found that is too old, or no ONNX Runtime at all.
    #[error(
        "the ONNX Runtime library {path:?} cannot be used; 1.20 or newer is needed: run `make setup`"
    )]
    LibraryUnusable {
        /// The library found.
        path: PathBuf,
        /// The error of the loader.
        #[source]
        source: ort::LoadDynamicError,
    },
    /// ONNX Runtime does not start.
    #[error("ONNX Runtime does not start")]
    Environment(#[source] ort::Error),
    /// A GPU is asked for, but cannot be used.
    #[error("DEVICE asks for a GPU, but {reason}; DEVICE=cpu and DEVICE=auto work without one")]
    NoGpu {
        /// The missing part.
        reason: String,
    },
    /// There is no such file.
    #[error("model file {path:?} does not exist")]
    NoFile {
        /// The path given.
        path: PathBuf,
    },
    /// The file is no ONNX model.
    #[error("model file {path:?} is not an ONNX model: {reason}")]
    NotOnnx {
        /// The file.
        path: PathBuf,
        /// Kind of the file, and a fix.
        reason: String,
    },
    /// The engine cannot load the file.
    #[error(
        "model file {path:?} cannot be loaded; it may be truncated, or need a newer ONNX Runtime"
    )]
    Load {
        /// The file.
        path: PathBuf,
        /// The error of the engine.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is a model, but not the one that is needed.
    #[error(
        "model file {file:?} is not {what}: {problem}. Expected {expected}. The file has {found}"
    )]
    Unexpected {
        /// The file.
        file: String,
        /// The expected kind of model, in words.
        what: String,
        /// The first thing that differs.
        problem: String,
        /// Inputs and outputs that are needed.
        expected: String,
        /// Inputs and outputs of the file.
        found: String,
    },
    /// An output has another type than the backend needs.
    #[error("output {name} of model file {file:?} is {found}, {expected} is needed")]
    OutputType {
        /// The file.
        file: String,
        /// The output.
        name: String,
        /// The type that is needed.
        expected: ElementType,
        /// The type that came.
        found: ElementType,
    },
    /// A run failed.
    #[error("model file {file:?} cannot be run")]
    Run {
        /// The file.
        file: String,
        /// The error of the engine.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

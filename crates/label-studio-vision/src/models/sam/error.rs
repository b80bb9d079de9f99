//! Why an object cannot be found.

use std::{io, path::PathBuf};

use label_studio_inference::onnx::OnnxError;

use crate::images::{ImageError, PreprocessorError};

/// Why an object cannot be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SamError {
    /// A model cannot be loaded or run.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The configuration of the images beside the encoder cannot be used.
    #[error(transparent)]
    Preprocessor(#[from] PreprocessorError),
    /// The image cannot be used.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The image's file cannot be read.
    #[error("cannot read image file {path:?}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The prompt has neither a click nor a rectangle.
    #[error("nothing is pointed at: a click or a rectangle is needed")]
    NoPrompt,
    /// The files do not work together.
    #[error("{file:?} cannot be used: {problem}")]
    Files {
        /// The file that does not fit.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The decoder gave something else than masks with scores.
    #[error("model file {file:?} gave masks of shape {masks:?} and scores of shape {scores:?}")]
    Shapes {
        /// The decoder.
        file: String,
        /// Shape of the masks.
        masks: Vec<usize>,
        /// Shape of the scores.
        scores: Vec<usize>,
    },
}

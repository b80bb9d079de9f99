//! Errors of Grounding DINO.

use std::path::PathBuf;

use label_studio_inference::{hub::HubError, onnx::OnnxError};
use label_studio_text::tokens::TokensError;

use crate::images::PreprocessorError;

/// Why Grounding DINO cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroundingDinoError {
    /// A file cannot be found or fetched.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The model cannot be loaded, or is another one.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The tokenizer cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The configuration of the images beside the model cannot be used.
    #[error(transparent)]
    Preprocessor(#[from] PreprocessorError),
    /// The tokenizer is not the one that Grounding DINO was trained with.
    #[error(
        "tokenizer {path:?} has no token {token:?}: take the tokenizer.json that lies beside the checkpoint, that of BERT"
    )]
    OtherTokenizer {
        /// The file.
        path: PathBuf,
        /// The token that it lacks.
        token: &'static str,
    },
    /// The configuration beside the model does not say how images are scaled.
    #[error(
        "cannot read {path:?}: its size is given by shortest_edge and longest_edge, by max_height and max_width, or by \
         height and width"
    )]
    PreprocessorConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The model gives something of another shape than it should.
    #[error(
        "model file {file:?} answers with {found}: this is not Grounding DINO, or it was exported for another size of batch"
    )]
    Shape {
        /// The file.
        file: String,
        /// The shapes that came.
        found: String,
    },
}

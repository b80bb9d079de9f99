//! Why a checkpoint cannot be read or written.

use std::path::PathBuf;

use label_studio_inference::hub::HubError;

/// Why a checkpoint cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A file cannot be found or fetched.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The checkpoint has no file of this name.
    #[error("the checkpoint {checkpoint} has no {file}: {fix}")]
    Missing {
        /// The folder or repository.
        checkpoint: String,
        /// The missing file.
        file: &'static str,
        /// How it is made.
        fix: &'static str,
    },
    /// The weights are a pickle, which would run code when it is read.
    #[error(
        "the weights of {checkpoint} are a pickle ({file}), which is not read because it can run code: convert them \
         once with transformers' AutoModel.from_pretrained({checkpoint:?}).save_pretrained(FOLDER, \
         safe_serialization=True), with the class of the model for AutoModel"
    )]
    Pickle {
        /// The folder or repository.
        checkpoint: String,
        /// The file.
        file: &'static str,
    },
    /// The weights of a GLiNER model are a pickle.
    #[error(
        "the weights of {checkpoint} are a pickle ({file}), which is not read because it can run code: convert them \
         once with GLiNER.from_pretrained({checkpoint:?}).save_pretrained(FOLDER, safe_serialization=True) of the \
         Python library gliner, or use an export to ONNX"
    )]
    SpanPickle {
        /// The folder or repository.
        checkpoint: String,
        /// The file.
        file: &'static str,
    },
    /// The weights can be used for predictions only.
    #[error(
        "{} is an export to ONNX, which cannot be trained: use a model with model.safetensors", .path.display()
    )]
    OnlyOnnx {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot read or write {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// `config.json` is not understood.
    #[error("{} is not the config.json of a model", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The model is not of a family that is known here, or of a kind that is not.
    #[error("{0}")]
    Unsupported(String),
    /// A number in `config.json` cannot be.
    #[error("config.json has a wrong {name}: {problem}")]
    Size {
        /// Name of the field.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The file of the weights is damaged, or something else.
    #[error("{} is not a whole file of safetensors; fetch it again", .path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: safetensors::SafeTensorError,
    },
    /// The file of the weights is shorter or longer than it says.
    #[error("{} has {actual} bytes where its header says {expected}; fetch it again", .path.display())]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Size by its header.
        expected: u64,
        /// Size on the disk.
        actual: u64,
    },
    /// A tensor that the model needs is not there.
    #[error("the checkpoint has no tensor {name}: it is a part of a model, or of another kind")]
    MissingTensor {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor has another shape than `config.json` says.
    #[error("tensor {name} has the shape {actual:?}, and config.json asks for {expected:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Its shape in the file.
        actual: Vec<usize>,
        /// Its shape by `config.json`.
        expected: Vec<usize>,
    },
    /// A tensor holds numbers of a kind that is not read.
    #[error("tensor {name} holds {kind}, and only F32, F16 and BF16 are read")]
    Kind {
        /// Name of the tensor.
        name: String,
        /// Its kind of numbers.
        kind: String,
    },
    /// A tensor holds NaN or infinity.
    #[error(
        "tensor {name} holds numbers that are not finite: the checkpoint is damaged, or its training diverged"
    )]
    NotFinite {
        /// Name of the tensor.
        name: String,
    },
}

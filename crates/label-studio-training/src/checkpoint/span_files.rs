//! Where the files of a GLiNER model are.

use std::path::{Path, PathBuf};

use label_studio_inference::hub::Hub;

use super::{
    CheckpointError,
    files::{PICKLE, TOKENIZER, TOKENIZER_FILES, WEIGHTS, copy_files, max_tokens_of},
    source::Source,
};

const CONFIG: &str = "gliner_config.json";
/// Where exports to ONNX lie.
const ONNX: [&str; 2] = ["model.onnx", "onnx/model.onnx"];

/// The files of a GLiNER model on this machine.
#[derive(Debug, Clone)]
pub struct SpanCheckpoint {
    /// `gliner_config.json`.
    pub config: PathBuf,
    /// `tokenizer.json`.
    pub tokenizer: PathBuf,
    /// Files that belong to the tokenizer, if there are any.
    pub tokenizer_files: Vec<PathBuf>,
    /// The weights.
    pub weights: SpanWeights,
}

/// The weights of a GLiNER model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanWeights {
    /// As the library saves them: they can be trained.
    Safetensors(PathBuf),
    /// The library's export to ONNX: it answers, but does not learn.
    Onnx(PathBuf),
}

impl SpanCheckpoint {
    /// Finds the files of a model by its name: a folder, or the name of a repository on the hub as
    /// `owner/name` with an optional `@revision`. Missing files are fetched.
    pub fn find(name: &str, hub: &Hub) -> Result<Self, CheckpointError> {
        Self::collect(name, &Source::find(name, hub, CONFIG)?)
    }

    /// Finds the files of a model in a folder.
    pub fn in_folder(folder: &Path) -> Result<Self, CheckpointError> {
        Self::collect(&folder.display().to_string(), &Source::Folder(folder))
    }

    fn collect(name: &str, source: &Source<'_>) -> Result<Self, CheckpointError> {
        let missing = |file, fix| CheckpointError::Missing {
            checkpoint: name.to_owned(),
            file,
            fix,
        };
        let config = source.path(CONFIG)?.ok_or_else(|| {
            let fix =
                "give a folder that gliner's save_pretrained wrote, or the name of a GLiNER model";
            missing(CONFIG, fix)
        })?;
        let weights = weights(name, source)?;
        let tokenizer = source.path(TOKENIZER)?.ok_or_else(|| {
            let fix = "save the model once with gliner's save_pretrained, which writes it beside the weights";
            missing(TOKENIZER, fix)
        })?;
        let mut tokenizer_files = Vec::new();
        for file in TOKENIZER_FILES {
            tokenizer_files.extend(source.path(file)?);
        }
        Ok(Self {
            config,
            tokenizer,
            tokenizer_files,
            weights,
        })
    }

    /// Returns the largest number of tokens that the tokenizer is set to, if it is.
    pub fn max_tokens(&self) -> Option<usize> {
        max_tokens_of(&self.tokenizer_files)
    }

    /// Copies the files of the tokenizer into a folder.
    pub(crate) fn copy_tokenizer(&self, folder: &Path) -> Result<(), CheckpointError> {
        copy_files(&self.tokenizer, &self.tokenizer_files, folder)
    }
}

/// Finds the weights: those that can be trained, else an export to ONNX.
fn weights(name: &str, source: &Source<'_>) -> Result<SpanWeights, CheckpointError> {
    if let Some(path) = source.path(WEIGHTS)? {
        return Ok(SpanWeights::Safetensors(path));
    }
    for file in ONNX {
        if let Some(path) = source.path(file)? {
            return Ok(SpanWeights::Onnx(path));
        }
    }
    let checkpoint = name.to_owned();
    if source.path(PICKLE)?.is_some() {
        return Err(CheckpointError::SpanPickle {
            checkpoint,
            file: PICKLE,
        });
    }
    Err(CheckpointError::Missing {
        checkpoint,
        file: WEIGHTS,
        fix: "save the model with gliner's save_pretrained(FOLDER, safe_serialization=True), or \
              export it with export_to_onnx",
    })
}

//! Where the files of a model are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::hub::Hub;
use serde_json::{Map, Value};

use super::{CheckpointError, source::Source};

const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
pub(crate) const PICKLE: &str = "pytorch_model.bin";
/// Files that `transformers` wants to have beside the tokenizer, if they are there.
pub(crate) const TOKENIZER_FILES: [&str; 2] = ["tokenizer_config.json", "special_tokens_map.json"];
const MAX_PARTS: usize = 1000;

/// The files of a model on this machine.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// `config.json`.
    pub config: PathBuf,
    /// `tokenizer.json`.
    pub tokenizer: PathBuf,
    /// Files that belong to the tokenizer, if there are any.
    pub tokenizer_files: Vec<PathBuf>,
    /// The weights, in one or more parts.
    pub weights: Vec<PathBuf>,
}

impl Checkpoint {
    /// Finds the files of a model by its name: a folder, or the name of a repository on the hub as
    /// `owner/name`, `name`, or either with `@revision`. Missing files are fetched.
    pub fn find(name: &str, hub: &Hub) -> Result<Self, CheckpointError> {
        Self::collect(name, &Source::find(name, hub, CONFIG)?)
    }

    /// Finds the files of a model in a folder.
    pub fn in_folder(folder: &Path) -> Result<Self, CheckpointError> {
        Self::collect(&folder.display().to_string(), &Source::Folder(folder))
    }

    /// Copies the files of the tokenizer into a folder.
    pub fn copy_tokenizer(&self, folder: &Path) -> Result<(), CheckpointError> {
        copy_files(&self.tokenizer, &self.tokenizer_files, folder)
    }

    /// Returns the largest number of tokens that the tokenizer is set to, if it is.
    pub fn max_tokens(&self) -> Option<usize> {
        max_tokens_of(&self.tokenizer_files)
    }

    fn collect(name: &str, source: &Source<'_>) -> Result<Self, CheckpointError> {
        let find = |file: &str| source.path(file);
        let missing = |file, fix| CheckpointError::Missing {
            checkpoint: name.to_owned(),
            file,
            fix,
        };
        let config = find(CONFIG)?.ok_or_else(|| {
            missing(
                CONFIG,
                "give the folder that transformers' save_pretrained wrote",
            )
        })?;
        let tokenizer = find(TOKENIZER)?.ok_or_else(|| {
            missing(
                TOKENIZER,
                "make it once with transformers' AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)",
            )
        })?;
        let weights = match find(WEIGHTS)? {
            Some(path) => vec![path],
            None => match find(INDEX)? {
                Some(index) => parts(name, &index, source)?,
                None if find(PICKLE)?.is_some() => {
                    return Err(CheckpointError::Pickle {
                        checkpoint: name.to_owned(),
                        file: PICKLE,
                    });
                }
                None => {
                    let fix = "save the model with transformers' save_pretrained(FOLDER, \
                               safe_serialization=True)";
                    return Err(missing(WEIGHTS, fix));
                }
            },
        };
        let mut tokenizer_files = Vec::new();
        for file in TOKENIZER_FILES {
            tokenizer_files.extend(find(file)?);
        }
        Ok(Self {
            config,
            tokenizer,
            tokenizer_files,
            weights,
        })
    }
}

/// Finds the parts that an index names.
fn parts(name: &str, index: &Path, source: &Source<'_>) -> Result<Vec<PathBuf>, CheckpointError> {
    let wrong = |source| CheckpointError::Config {
        path: index.to_owned(),
        source,
    };
    let json = fs::read(index).map_err(|source| CheckpointError::Io {
        path: index.to_owned(),
        source,
    })?;
    let index: Map<String, Value> = serde_json::from_slice(&json).map_err(wrong)?;
    let files = index.get("weight_map").and_then(Value::as_object);
    let files = files.into_iter().flat_map(Map::values);
    let mut names: Vec<&str> = files.filter_map(Value::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(MAX_PARTS);
    let mut paths = Vec::with_capacity(names.len());
    for part in names {
        // A path could lead out of the folder.
        let is_file = !part.contains(['/', '\\']) && part.ends_with(".safetensors");
        let path = if is_file { source.path(part)? } else { None };
        paths.push(path.ok_or_else(|| CheckpointError::Missing {
            checkpoint: name.to_owned(),
            file: "part of its weights that its index names",
            fix: "fetch or copy all parts",
        })?);
    }
    Ok(paths)
}

/// Copies the files of a tokenizer into a folder.
pub(crate) fn copy_files(
    tokenizer: &Path,
    others: &[PathBuf],
    folder: &Path,
) -> Result<(), CheckpointError> {
    let copy = |path: &Path, name: &str| {
        let copied = fs::copy(path, folder.join(name));
        copied.map_err(|source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        })
    };
    copy(tokenizer, TOKENIZER)?;
    for path in others {
        let name = TOKENIZER_FILES.iter().find(|name| path.ends_with(name));
        if let Some(name) = name {
            copy(path, name)?;
        }
    }
    Ok(())
}

/// Returns the largest number of tokens that the files of a tokenizer set, if they do.
pub(crate) fn max_tokens_of(tokenizer_files: &[PathBuf]) -> Option<usize> {
    let mut files = tokenizer_files.iter();
    let file = files.find(|path| path.ends_with(TOKENIZER_FILES[0]))?;
    let fields: Map<String, Value> = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    // A tokenizer without a limit has a huge one, as a float.
    usize::try_from(fields.get("model_max_length")?.as_u64()?).ok()
}

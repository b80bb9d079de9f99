//! Where the files of a model are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::hub::{Hub, HubError, HubFile, Weights};
use serde_json::{Map, Value};

use super::CheckpointError;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const PICKLE: &str = "pytorch_model.bin";
/// Files that `transformers` wants to have beside the tokenizer, if they are there.
const TOKENIZER_FILES: [&str; 2] = ["tokenizer_config.json", "special_tokens_map.json"];
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
        let folder = Path::new(name);
        if folder.is_dir() {
            return Self::in_folder(folder);
        }
        let repo = name.strip_prefix("hf://").unwrap_or(name);
        let (repo, revision) = repo.split_once('@').unwrap_or((repo, "main"));
        let is_path = name.is_empty() || folder.is_absolute() || name.starts_with('.');
        if is_path || repo.matches('/').count() > 1 {
            return Err(CheckpointError::Missing {
                checkpoint: name.to_owned(),
                file: "folder",
                fix: "give the folder of a model, or its name on the hub, such as \
                      google-bert/bert-base-multilingual-cased",
            });
        }
        // The hub redirects old names without an owner, but has no address for their files.
        let repo = if repo.contains('/') {
            repo.to_owned()
        } else {
            format!("{}/{repo}", owner_of(repo))
        };
        let find = |file: &str| -> Result<Option<PathBuf>, CheckpointError> {
            let weights = Weights::Hub(HubFile::new(&repo, revision, file)?);
            match hub.path(&weights) {
                Ok(path) => Ok(Some(path)),
                Err(HubError::NotFound { .. }) => Ok(None),
                // Only files that were fetched before are in the cache.
                Err(HubError::Offline { .. }) if file != CONFIG => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        Self::collect(name, find)
    }

    /// Finds the files of a model in a folder.
    pub fn in_folder(folder: &Path) -> Result<Self, CheckpointError> {
        let find = |file: &str| {
            let path = folder.join(file);
            Ok(path.is_file().then_some(path))
        };
        Self::collect(&folder.display().to_string(), find)
    }

    /// Copies the files of the tokenizer into a folder.
    pub fn copy_tokenizer(&self, folder: &Path) -> Result<(), CheckpointError> {
        let copy = |path: &Path, name: &str| {
            let copied = fs::copy(path, folder.join(name));
            copied.map_err(|source| CheckpointError::Io {
                path: path.to_owned(),
                source,
            })
        };
        copy(&self.tokenizer, TOKENIZER)?;
        for path in &self.tokenizer_files {
            let name = TOKENIZER_FILES.iter().find(|name| path.ends_with(name));
            if let Some(name) = name {
                copy(path, name)?;
            }
        }
        Ok(())
    }

    /// Returns the largest number of tokens that the tokenizer is set to, if it is.
    pub fn max_tokens(&self) -> Option<usize> {
        let file = self
            .tokenizer_files
            .iter()
            .find(|path| path.ends_with(TOKENIZER_FILES[0]))?;
        let fields: Map<String, Value> = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        // A tokenizer without a limit has a huge one, as a float.
        usize::try_from(fields.get("model_max_length")?.as_u64()?).ok()
    }

    fn collect(
        name: &str,
        mut find: impl FnMut(&str) -> Result<Option<PathBuf>, CheckpointError>,
    ) -> Result<Self, CheckpointError> {
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
                Some(index) => parts(name, &index, &mut find)?,
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
fn parts(
    name: &str,
    index: &Path,
    find: &mut impl FnMut(&str) -> Result<Option<PathBuf>, CheckpointError>,
) -> Result<Vec<PathBuf>, CheckpointError> {
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
        let path = if is_file { find(part)? } else { None };
        paths.push(path.ok_or_else(|| CheckpointError::Missing {
            checkpoint: name.to_owned(),
            file: "part of its weights that its index names",
            fix: "fetch or copy all parts",
        })?);
    }
    Ok(paths)
}

/// Returns the owner of a model that is known by its name alone.
fn owner_of(name: &str) -> &'static str {
    match name.split('-').next() {
        Some("distilbert" | "distilroberta") => "distilbert",
        Some("roberta" | "xlm") => "FacebookAI",
        Some("camembert") => "almanach",
        _ => "google-bert",
    }
}

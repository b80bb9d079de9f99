//! Where the files of a model are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::hub::{Hub, HubError, HubFile, Weights};
use serde_json::{Map, Value};

use crate::generation::GenerationError;

const CONFIG: &str = "config.json";
/// Files of weights, and what names their parts.
const WEIGHTS: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];
const EXTENSIONS: [&str; 2] = [".safetensors", ".bin"];
const MAX_PARTS: usize = 1000;

/// The files of a model on this machine.
#[derive(Debug, Clone)]
pub(in crate::generation) struct ModelFiles {
    /// The folder or repository, for messages.
    pub(in crate::generation) name: String,
    pub(in crate::generation) config: PathBuf,
    pub(in crate::generation) generation_config: Option<PathBuf>,
    pub(in crate::generation) tokenizer: TokenizerFiles,
    pub(in crate::generation) tokenizer_config: Option<PathBuf>,
    pub(in crate::generation) chat_template: Option<PathBuf>,
    /// The weights, in one or more parts.
    pub(in crate::generation) weights: Vec<PathBuf>,
}

/// The files of a tokenizer.
#[derive(Debug, Clone)]
pub(in crate::generation) enum TokenizerFiles {
    /// `tokenizer.json`.
    Json(PathBuf),
    /// `vocab.json` and `merges.txt`, as GPT-2 and its kin had them first.
    Merges { vocab: PathBuf, merges: PathBuf },
}

/// Where the files of a model are.
enum Source<'a> {
    Folder(&'a Path),
    Hub {
        hub: &'a Hub,
        repo: String,
        revision: &'a str,
    },
}

impl ModelFiles {
    /// Finds the files of a model by its name: a folder, or the name of a repository on the hub as
    /// `owner/name`, `name`, or either with `@revision`. Missing files are fetched.
    pub(in crate::generation) fn find(name: &str, hub: &Hub) -> Result<Self, GenerationError> {
        let source = Source::find(name, hub)?;
        let missing = |file, fix| GenerationError::MissingFile {
            model: name.to_owned(),
            file,
            fix,
        };
        let config = source.path(CONFIG)?.ok_or_else(|| {
            let fix = "give the folder that transformers' save_pretrained wrote";
            missing(CONFIG, fix)
        })?;
        let weights = source.weights(name)?;
        let tokenizer = if let Some(path) = source.path("tokenizer.json")? {
            TokenizerFiles::Json(path)
        } else {
            let merges = source.path("merges.txt")?;
            let both = source.path("vocab.json")?.zip(merges);
            let (vocab, merges) = both.ok_or_else(|| {
                let fix = "make it once with transformers' \
                           AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER)";
                missing("tokenizer.json", fix)
            })?;
            TokenizerFiles::Merges { vocab, merges }
        };
        Ok(Self {
            name: name.to_owned(),
            config,
            generation_config: source.path("generation_config.json")?,
            tokenizer,
            tokenizer_config: source.path("tokenizer_config.json")?,
            chat_template: source.path("chat_template.jinja")?,
            weights,
        })
    }
}

impl<'a> Source<'a> {
    fn find(name: &'a str, hub: &'a Hub) -> Result<Self, GenerationError> {
        let folder = Path::new(name);
        if folder.is_dir() {
            return Ok(Self::Folder(folder));
        }
        let repo = name.strip_prefix("hf://").unwrap_or(name);
        let (repo, revision) = repo.split_once('@').unwrap_or((repo, "main"));
        let is_path = name.is_empty() || folder.is_absolute() || name.starts_with('.');
        if is_path || repo.matches('/').count() > 1 {
            return Err(GenerationError::MissingFile {
                model: name.to_owned(),
                file: "folder",
                fix: "give the folder of a model, or its name on the hub, such as facebook/opt-125m",
            });
        }
        // The hub redirects old names without an owner, but has no address for their files.
        let repo = match repo.contains('/') {
            true => repo.to_owned(),
            false if repo.starts_with("distil") => format!("distilbert/{repo}"),
            false => format!("openai-community/{repo}"),
        };
        Ok(Self::Hub {
            hub,
            repo,
            revision,
        })
    }

    /// Returns a file of the model, fetched if need be; `None` if the model does not have it.
    fn path(&self, file: &str) -> Result<Option<PathBuf>, GenerationError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                Ok(path.is_file().then_some(path))
            }
            Self::Hub {
                hub,
                repo,
                revision,
            } => match hub.path(&Weights::Hub(HubFile::new(repo, revision, file)?)) {
                Ok(path) => Ok(Some(path)),
                Err(HubError::NotFound { .. }) => Ok(None),
                // Only files that were fetched before are in the cache.
                Err(HubError::Offline { .. }) if file != CONFIG => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Finds the parts that an index names.
    fn parts(&self, name: &str, index: &Path) -> Result<Vec<PathBuf>, GenerationError> {
        let json = fs::read(index).map_err(|source| GenerationError::Io {
            path: index.to_owned(),
            source,
        })?;
        let fields: Map<String, Value> =
            serde_json::from_slice(&json).map_err(|source| GenerationError::Json {
                path: index.to_owned(),
                source,
            })?;
        let parts = fields.get("weight_map").and_then(Value::as_object);
        let parts = parts.into_iter().flat_map(Map::values);
        let mut parts: Vec<&str> = parts.filter_map(Value::as_str).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.truncate(MAX_PARTS);
        let part = |part: &str| {
            // A path could lead out of the folder.
            let is_file =
                !part.contains(['/', '\\']) && EXTENSIONS.iter().any(|end| part.ends_with(end));
            let path = if is_file { self.path(part)? } else { None };
            path.ok_or_else(|| GenerationError::MissingFile {
                model: name.to_owned(),
                file: "part of its weights that its index names",
                fix: "fetch or copy all parts",
            })
        };
        parts.into_iter().map(part).collect()
    }

    /// Finds the weights, safetensors before PyTorch's own files.
    fn weights(&self, name: &str) -> Result<Vec<PathBuf>, GenerationError> {
        for (whole, index) in WEIGHTS {
            if let Some(path) = self.path(whole)? {
                return Ok(vec![path]);
            }
            if let Some(index) = self.path(index)? {
                return self.parts(name, &index);
            }
        }
        Err(GenerationError::MissingFile {
            model: name.to_owned(),
            file: WEIGHTS[0].0,
            fix: "save the model with transformers' save_pretrained(FOLDER, safe_serialization=True)",
        })
    }
}

//! A folder from which label configs may name model files.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

/// Extensions of PyTorch checkpoints, which are replaced by that of ONNX.
const TRAINED: [&str; 2] = ["pt", "pth"];

/// A folder of model files. Names from a label config, such as `model_path`, cannot point outside
/// of it.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    root: PathBuf,
}

/// Why a name is no file of a [`ModelFolder`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFolderError {
    /// The name is absolute, or contains `..`.
    #[error("model_path {name} leads out of the folder of models, MODEL_ROOT={root}")]
    LeadsOut {
        /// The name.
        name: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// The file is a link that points outside of the folder.
    #[error("model file {path} is a link out of the folder of models, MODEL_ROOT={root}")]
    LinksOut {
        /// The file.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// There is no such file.
    #[error("there is no file {path}, and MODEL_ROOT={root} is where models are looked for")]
    Missing {
        /// The file.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// The file or the folder cannot be read.
    #[error("cannot look at {path}")]
    Unreadable {
        /// The file or the folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl ModelFolder {
    /// Creates a model folder; the path need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the file called `name`, with the extension of ONNX if the name is that of a PyTorch
    /// checkpoint.
    pub fn file(&self, name: &str) -> Result<PathBuf, ModelFolderError> {
        let root = || self.root.clone();
        let name = Path::new(name.trim());
        let relative = name.strip_prefix(&self.root).unwrap_or(name);
        let is_plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !is_plain {
            return Err(ModelFolderError::LeadsOut {
                name: name.to_owned(),
                root: root(),
            });
        }
        let path = onnx_form(self.root.join(relative));
        if !path.exists() {
            return Err(ModelFolderError::Missing { path, root: root() });
        }
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|source| ModelFolderError::Unreadable {
                    path: path.to_owned(),
                    source,
                })
        };
        if !real(&path)?.starts_with(real(&self.root)?) {
            return Err(ModelFolderError::LinksOut { path, root: root() });
        }
        Ok(path)
    }
}

/// Replaces the extension of a PyTorch checkpoint by that of ONNX.
pub fn onnx_form(mut path: PathBuf) -> PathBuf {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| TRAINED.contains(&extension)) {
        path.set_extension("onnx");
    }
    path
}

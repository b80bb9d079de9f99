//! A folder that label configs may choose model files from.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

/// Forms in which models are trained; beside such a file lies, or instead of it, its ONNX form.
const TRAINED: [&str; 2] = ["pt", "pth"];

/// A folder of model files that names from outside, such as `model_path` of a control tag, cannot lead out of.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    root: PathBuf,
}

/// Why a name chooses no file of a [`ModelFolder`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFolderError {
    /// The name is absolute, or goes up.
    #[error("model_path {name} leads out of the folder of models, MODEL_ROOT={root}")]
    LeadsOut {
        /// The name.
        name: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// The file is a link to a place elsewhere.
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
    /// The file or the folder cannot be looked at.
    #[error("cannot look at {path}")]
    Unreadable {
        /// The file or the folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl ModelFolder {
    /// Takes a folder; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the file called `name`, in its ONNX form if it is called by its PyTorch one.
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

/// Returns the ONNX form of a file that is called by its PyTorch one.
pub fn onnx_form(mut path: PathBuf) -> PathBuf {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.is_some_and(|extension| TRAINED.contains(&extension)) {
        path.set_extension("onnx");
    }
    path
}

//! The folder of the model that was trained last.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{Checkpoint, CheckpointError, ModelConfig, SpanCheckpoint, SpanConfig};

/// Field of the config: the project whose annotations trained the model.
const PROJECT: &str = "label_studio_project";

/// The folder that holds the model trained last, whatever its version, as the backends in Python
/// have it.
#[derive(Debug, Clone)]
pub struct FinetunedFolder {
    path: PathBuf,
    kind: Kind,
}

/// What kind of model the folder holds.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Network,
    Spans,
}

impl FinetunedFolder {
    /// Names the folder, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            kind: Kind::Network,
        }
    }

    /// Names the folder of a GLiNER model.
    pub fn of_spans(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            kind: Kind::Spans,
        }
    }

    /// Returns the folder if it holds a model for this project: one that was trained for it, or one
    /// that a user put there.
    pub fn find(&self, project: &str) -> Option<&Path> {
        if !self.path.is_dir() {
            return None;
        }
        let owner = self.owner().ok()?;
        owner
            .is_none_or(|owner| owner == project)
            .then_some(&*self.path)
    }

    /// Returns the project of the model, if one is noted.
    fn owner(&self) -> Result<Option<String>, CheckpointError> {
        let owner = |field: Option<&Value>| Some(field?.as_str()?.to_owned());
        match self.kind {
            Kind::Network => {
                let checkpoint = Checkpoint::in_folder(&self.path)?;
                let config = ModelConfig::read(&checkpoint.config)?;
                Ok(owner(config.field(PROJECT)))
            }
            Kind::Spans => {
                let checkpoint = SpanCheckpoint::in_folder(&self.path)?;
                let config = SpanConfig::read(&checkpoint.config)?;
                Ok(owner(config.field(PROJECT)))
            }
        }
    }

    /// Makes the folder hold the files of a version. They are not copied where the file system can
    /// give a file two names.
    pub fn replace(&self, version: &Path) -> Result<(), CheckpointError> {
        self.replace_all(version)
            .map_err(|source| CheckpointError::Io {
                path: self.path.clone(),
                source,
            })
    }

    fn replace_all(&self, version: &Path) -> io::Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)?;
        let new = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(parent)?;
        for entry in fs::read_dir(version)? {
            let path = entry?.path();
            let Some(name) = path.file_name().filter(|_| path.is_file()) else {
                continue;
            };
            let target = new.path().join(name);
            if fs::hard_link(&path, &target).is_err() {
                fs::copy(&path, &target)?;
            }
        }
        let old = tempfile::Builder::new()
            .prefix(".old-")
            .tempdir_in(parent)?;
        match fs::rename(&self.path, old.path().join("model")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(new.keep(), &self.path)
    }
}

impl ModelConfig {
    /// Notes the project whose annotations trained the model.
    #[must_use]
    pub fn with_project(self, project: &str) -> Self {
        self.with_field(PROJECT, json!(project))
    }
}

impl SpanConfig {
    /// Notes the project whose annotations trained the model.
    #[must_use]
    pub fn with_project(self, project: &str) -> Self {
        self.with_field(PROJECT, json!(project))
    }
}

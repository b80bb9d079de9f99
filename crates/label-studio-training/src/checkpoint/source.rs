//! Where files come from: a folder or a hub.

use std::path::{Path, PathBuf};

use label_studio_inference::hub::{Hub, HubError, HubFile, Weights};

use super::CheckpointError;

/// Where the files of a model are.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Folder(&'a Path),
    Hub {
        hub: &'a Hub,
        repo: String,
        revision: &'a str,
        /// The file that every model has.
        config: &'static str,
    },
}

impl<'a> Source<'a> {
    /// Finds a model by its name: a folder, or the name of a repository on the hub as `owner/name`,
    /// `name`, or either with `@revision`. `config` is the file that every model has.
    pub(crate) fn find(
        name: &'a str,
        hub: &'a Hub,
        config: &'static str,
    ) -> Result<Self, CheckpointError> {
        let folder = Path::new(name);
        if folder.is_dir() {
            return Ok(Self::Folder(folder));
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
        Ok(Self::Hub {
            hub,
            repo,
            revision,
            config,
        })
    }

    /// Returns a file of the model, fetched if need be; `None` if the model does not have it.
    pub(crate) fn path(&self, file: &str) -> Result<Option<PathBuf>, CheckpointError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(file);
                Ok(path.is_file().then_some(path))
            }
            Self::Hub {
                hub,
                repo,
                revision,
                config,
            } => {
                let weights = Weights::Hub(HubFile::new(repo, revision, file)?);
                match hub.path(&weights) {
                    Ok(path) => Ok(Some(path)),
                    Err(HubError::NotFound { .. }) => Ok(None),
                    // Only files that were fetched before are in the cache.
                    Err(HubError::Offline { .. }) if file != *config => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
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

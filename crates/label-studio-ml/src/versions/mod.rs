//! Versions of trained models: folders that are whole or not there, one of which is active.
//!
//! A training writes its files into a [`NewVersion`], a folder that no reader knows. Publishing it
//! writes the files through to the disk, gives the folder its name in one step, and only then makes
//! it the project's model version. A training that fails, is cancelled or is killed leaves the
//! active version as it was.

mod error;
mod folders;
mod new_version;
mod record;

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

pub use error::VersionError;
pub use new_version::NewVersion;
pub use record::VersionRecord;

use self::folders::{file_name, subfolders};
use crate::project_id::ProjectId;

/// Versions that stay besides the active one, unless said otherwise.
const DEFAULT_KEPT: usize = 5;

/// The folder of all versions of all projects.
#[derive(Debug)]
pub struct Versions {
    folder: PathBuf,
    n_kept: usize,
    is_temporary: bool,
}

impl Versions {
    /// Creates versions in the folder `versions` of `model_dir`; the first new version makes it.
    pub fn new(model_dir: &Path) -> Self {
        Self {
            folder: model_dir.join("versions"),
            n_kept: DEFAULT_KEPT,
            is_temporary: false,
        }
    }

    /// Creates versions that are removed in the end: for tests of a model.
    pub fn temporary() -> Self {
        let name = format!("label-studio-ml-{}", uuid::Uuid::new_v4().simple());
        let mut versions = Self::new(&std::env::temp_dir().join(name));
        versions.is_temporary = true;
        versions
    }

    /// Sets how many versions of a project stay besides the active one.
    #[must_use]
    pub fn keeping(mut self, n_kept: usize) -> Self {
        self.n_kept = n_kept;
        self
    }

    /// Returns the folder of a published version; `None` when there is none.
    pub fn folder(&self, project: &ProjectId, version: &str) -> Option<PathBuf> {
        let folder = self.project_folder(project).join(file_name(version)?);
        folder.join(record::FILE_NAME).is_file().then_some(folder)
    }

    /// Lists the published versions of all projects, the newest of each project first.
    pub fn list(&self) -> Result<Vec<VersionRecord>, VersionError> {
        let mut records = Vec::new();
        for project in subfolders(&self.folder)? {
            records.extend(
                Self::list_in(&project)?
                    .into_iter()
                    .map(|(_, record)| record),
            );
        }
        Ok(records)
    }

    /// Returns whether a project has any published version.
    pub(crate) fn has_any(&self, project: &ProjectId) -> Result<bool, VersionError> {
        Ok(!Self::list_in(&self.project_folder(project))?.is_empty())
    }

    /// Returns a new version of a project: an empty folder that no reader knows.
    pub(crate) fn begin(&self, project: &ProjectId) -> Result<NewVersion, VersionError> {
        NewVersion::begin(self.project_folder(project), project)
    }

    /// Removes the oldest versions of a project, but never the active one.
    pub(crate) fn prune(&self, project: &ProjectId, active: &str) -> Result<(), VersionError> {
        let versions = Self::list_in(&self.project_folder(project))?;
        let others = versions
            .into_iter()
            .filter(|(_, record)| record.version != active);
        for (folder, record) in others.skip(self.n_kept) {
            tracing::info!(%project, version = record.version, "removing an old version");
            remove(&folder)?;
        }
        Ok(())
    }

    /// Lists the versions in a project's folder, newest first.
    fn list_in(project: &Path) -> Result<Vec<(PathBuf, VersionRecord)>, VersionError> {
        let folders = subfolders(project)?.into_iter();
        let mut versions: Vec<_> = folders
            .filter_map(|folder| Some((folder.clone(), VersionRecord::read(&folder)?)))
            .collect();
        versions.sort_by(|(_, left), (_, right)| right.created_at.total_cmp(&left.created_at));
        Ok(versions)
    }

    fn project_folder(&self, project: &ProjectId) -> PathBuf {
        let name = file_name(project.as_str()).unwrap_or_else(|| "_".to_owned());
        self.folder.join(name)
    }
}

impl Drop for Versions {
    fn drop(&mut self) {
        if self.is_temporary
            && let Some(folder) = self.folder.parent()
        {
            // It was never made if no version was.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Removes a version so that no reader finds half of it.
fn remove(folder: &Path) -> Result<(), VersionError> {
    let failed = |source| VersionError::Folder {
        path: folder.to_owned(),
        source,
    };
    // The record goes first: without it the folder is no version.
    match fs::remove_file(folder.join(record::FILE_NAME)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    fs::remove_dir_all(folder).map_err(failed)
}

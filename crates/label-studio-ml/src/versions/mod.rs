//! Versions of trained models: folders that are whole or not there, one of which is active.
//!
//! A training writes its files into a [`NewVersion`], a folder that no reader knows. Publishing it
//! writes the files through to the disk, gives the folder its name in one step, and only then makes
//! it the project's model version. A training that fails, is cancelled or is killed leaves the
//! active version as it was.

mod artifacts;
mod error;
mod folders;
mod new_version;
#[cfg(feature = "object-store")]
mod object_store;
mod record;

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;

pub use artifacts::Artifacts;
pub use error::{ArtifactError, VersionError};
pub use new_version::NewVersion;
#[cfg(feature = "object-store")]
pub use object_store::ObjectArtifacts;
pub use record::VersionRecord;

use self::{
    artifacts::{SharedVersions, project_name},
    folders::{file_name, subfolders},
};
use crate::project_id::ProjectId;

/// Versions that stay besides the active one, unless said otherwise.
const DEFAULT_KEPT: usize = 5;

/// The folder of all versions of all projects, or what this machine has of those in an object store.
#[derive(Debug)]
pub struct Versions {
    folder: PathBuf,
    shared: Option<SharedVersions>,
    n_kept: usize,
    is_temporary: bool,
}

impl Versions {
    /// Creates versions in the folder `versions` of `model_dir`; the first new version makes it.
    pub fn new(model_dir: &Path) -> Self {
        Self::in_folder(model_dir.join("versions"))
    }

    /// Creates versions in a folder of any name.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            shared: None,
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

    /// Keeps versions in an object store, of which the folder has copies.
    #[must_use]
    pub fn shared(mut self, artifacts: Arc<dyn Artifacts>) -> Self {
        self.shared = Some(SharedVersions(artifacts));
        self
    }

    /// Returns the folder of a published version; `None` when there is none. A version in an object
    /// store is downloaded, if this machine does not have it yet.
    pub fn folder(
        &self,
        project: &ProjectId,
        version: &str,
    ) -> Result<Option<PathBuf>, VersionError> {
        let Some(name) = file_name(version) else {
            return Ok(None);
        };
        let folder = self.project_folder(project).join(name);
        let local = VersionRecord::read(&folder);
        let Some(shared) = &self.shared else {
            return Ok(local.map(|_| folder));
        };
        let found = match shared.record(project, version) {
            Ok(found) => found,
            // Better an old copy than none: it is whole, and versions seldom share a name.
            Err(error) if local.is_some() => {
                let error = anyhow::Error::from(error);
                tracing::warn!(%project, version, "using the copy on this machine: {error:#}");
                return Ok(Some(folder));
            }
            Err(error) => return Err(error),
        };
        match (found, local) {
            (None, _) => Ok(None),
            (Some(found), Some(local)) if found.created_at.total_cmp(&local.created_at).is_eq() => {
                Ok(Some(folder))
            }
            (Some(_), local) => {
                if local.is_some() {
                    remove(&folder)?;
                }
                self.download(shared, project, version)
            }
        }
    }

    /// Lists the published versions of all projects, the newest of each project first.
    pub fn list(&self) -> Result<Vec<VersionRecord>, VersionError> {
        if let Some(shared) = &self.shared {
            return shared.list_all();
        }
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
        if let Some(shared) = &self.shared {
            return Ok(!shared.list(&project_name(project.as_str()))?.is_empty());
        }
        Ok(!Self::list_in(&self.project_folder(project))?.is_empty())
    }

    /// Returns a new version of a project: an empty folder that no reader knows.
    pub(crate) fn begin(&self, project: &ProjectId) -> Result<NewVersion, VersionError> {
        NewVersion::begin(self.project_folder(project), project)
    }

    /// Gives a new version its name, and puts it where all replicas find it. Returns its folder.
    pub(crate) fn publish(
        &self,
        new: NewVersion,
        version: &str,
        job: Option<String>,
        metrics: Value,
    ) -> Result<PathBuf, VersionError> {
        let (folder, record) = new.finish(version, job, metrics)?;
        if let Some(shared) = &self.shared
            && let Err(error) = shared.publish(&folder, record)
        {
            remove(&folder)?;
            return Err(error);
        }
        Ok(folder)
    }

    fn download(
        &self,
        shared: &SharedVersions,
        project: &ProjectId,
        version: &str,
    ) -> Result<Option<PathBuf>, VersionError> {
        let new = self.begin(project)?;
        let Some(record) = shared.fetch(project, version, new.path())? else {
            return Ok(None);
        };
        tracing::info!(%project, version, "version downloaded");
        match new.finish_as(record) {
            Ok((folder, _)) => Ok(Some(folder)),
            // Another thread or process was quicker.
            Err(VersionError::Exists { .. }) => {
                let name = file_name(version).unwrap_or_default();
                Ok(Some(self.project_folder(project).join(name)))
            }
            Err(error) => Err(error),
        }
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
        let Some(shared) = &self.shared else {
            return Ok(());
        };
        let versions = shared.list(&project_name(project.as_str()))?;
        let others = versions
            .into_iter()
            .filter(|record| record.version != active);
        for record in others.skip(self.n_kept) {
            shared.remove(&record)?;
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
        self.folder.join(project_name(project.as_str()))
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

//! Where versions are kept for all replicas.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{
    ArtifactError, VersionError, VersionRecord,
    folders::{file_name, files_in},
};
use crate::project_id::ProjectId;

/// Files under names, which all replicas read: an object store. Names are parts with `/` between.
pub trait Artifacts: fmt::Debug + Send + Sync + 'static {
    /// Writes a file under a name that was never used.
    fn upload(&self, name: &str, file: &Path) -> Result<(), ArtifactError>;

    /// Writes bytes under a name, unless there are some already. Returns whether it did.
    fn create(&self, name: &str, bytes: Vec<u8>) -> Result<bool, ArtifactError>;

    /// Reads what has a name, which is `n_bytes` long, into a new file.
    fn download(&self, name: &str, n_bytes: u64, file: &Path) -> Result<(), ArtifactError>;

    /// Reads a short file; `None` when there is none.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ArtifactError>;

    /// Lists the parts that follow a name and have parts below them. The empty name is the whole
    /// store.
    fn folders(&self, name: &str) -> Result<Vec<String>, ArtifactError>;

    /// Removes what has a name; it may be gone already.
    fn remove(&self, name: &str) -> Result<(), ArtifactError>;
}

/// The versions in an object store.
///
/// A version is a record under `PROJECT/VERSION/version.json`, which names its files. They were
/// written before it, under names that no other attempt uses, and the store lets one writer only
/// create the record. So a reader finds a version whole or not at all.
#[derive(Debug, Clone)]
pub(super) struct SharedVersions(pub(super) Arc<dyn Artifacts>);

/// The record of a version in an object store.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SharedRecord {
    #[serde(flatten)]
    record: VersionRecord,
    /// Part of the names of the files.
    folder: String,
    files: Vec<SharedFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SharedFile {
    /// Path within the version, with `/` between its parts.
    path: String,
    n_bytes: u64,
}

const RECORD: &str = "version.json";

impl SharedVersions {
    /// Uploads a version that lies in `folder`.
    pub(super) fn publish(&self, folder: &Path, record: VersionRecord) -> Result<(), VersionError> {
        let place = place(&record.project, &record.version)?;
        let shared = SharedRecord {
            folder: uuid::Uuid::new_v4().simple().to_string(),
            files: list_files(folder)?,
            record,
        };
        for file in &shared.files {
            let name = format!("{place}/{}/{}", shared.folder, file.path);
            self.0.upload(&name, &folder.join(&file.path))?;
        }
        let json = serde_json::to_vec_pretty(&shared).expect("a record is JSON");
        if self.0.create(&format!("{place}/{RECORD}"), json)? {
            return Ok(());
        }
        self.remove_files(&place, &shared)?;
        Err(VersionError::Exists {
            version: shared.record.version,
        })
    }

    /// Returns the record of a version; `None` when there is no such version.
    pub(super) fn record(
        &self,
        project: &ProjectId,
        version: &str,
    ) -> Result<Option<VersionRecord>, VersionError> {
        let shared = self.read(&place(project.as_str(), version)?)?;
        Ok(shared.map(|shared| shared.record))
    }

    /// Downloads a version into the empty `folder`. Returns its record; `None` when there is no
    /// such version.
    pub(super) fn fetch(
        &self,
        project: &ProjectId,
        version: &str,
        folder: &Path,
    ) -> Result<Option<VersionRecord>, VersionError> {
        let place = place(project.as_str(), version)?;
        let Some(shared) = self.read(&place)? else {
            return Ok(None);
        };
        for file in &shared.files {
            let path = local_path(folder, &file.path)?;
            let failed = |source| VersionError::Folder {
                path: path.clone(),
                source,
            };
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed)?;
            }
            let name = format!("{place}/{}/{}", shared.folder, file.path);
            self.0.download(&name, file.n_bytes, &path)?;
            let n_bytes = fs::metadata(&path).map_err(failed)?.len();
            if n_bytes != file.n_bytes {
                let reason = format!("it has {n_bytes} bytes instead of {}", file.n_bytes);
                return Err(failed(io::Error::new(io::ErrorKind::InvalidData, reason)));
            }
        }
        Ok(Some(shared.record))
    }

    /// Lists the versions of a project, newest first.
    pub(super) fn list(&self, project: &str) -> Result<Vec<VersionRecord>, VersionError> {
        let mut records = Vec::new();
        for version in self.0.folders(project)? {
            let shared = self.read(&format!("{project}/{version}"))?;
            records.extend(shared.map(|shared| shared.record));
        }
        records.sort_by(|left, right| right.created_at.total_cmp(&left.created_at));
        Ok(records)
    }

    /// Lists the versions of all projects, the newest of each project first.
    pub(super) fn list_all(&self) -> Result<Vec<VersionRecord>, VersionError> {
        let mut records = Vec::new();
        for project in self.0.folders("")? {
            records.extend(self.list(&project)?);
        }
        Ok(records)
    }

    /// Removes a version: first its record, so that no reader finds half of it.
    pub(super) fn remove(&self, record: &VersionRecord) -> Result<(), VersionError> {
        let place = place(&record.project, &record.version)?;
        let Some(shared) = self.read(&place)? else {
            return Ok(());
        };
        self.0.remove(&format!("{place}/{RECORD}"))?;
        self.remove_files(&place, &shared)
    }

    fn remove_files(&self, place: &str, shared: &SharedRecord) -> Result<(), VersionError> {
        for file in &shared.files {
            let name = format!("{place}/{}/{}", shared.folder, file.path);
            self.0.remove(&name)?;
        }
        Ok(())
    }

    fn read(&self, place: &str) -> Result<Option<SharedRecord>, VersionError> {
        let json = self.0.read(&format!("{place}/{RECORD}"))?;
        // What cannot be read is no version, as in a folder.
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}

/// Returns the name under which a project is kept.
pub(super) fn project_name(project: &str) -> String {
    file_name(project).unwrap_or_else(|| "_".to_owned())
}

fn place(project: &str, version: &str) -> Result<String, VersionError> {
    let name = file_name(version).ok_or_else(|| VersionError::Name {
        version: version.to_owned(),
    })?;
    Ok(format!("{}/{name}", project_name(project)))
}

fn list_files(folder: &Path) -> Result<Vec<SharedFile>, VersionError> {
    let failed = |source| VersionError::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for path in files_in(folder).map_err(failed)? {
        let within = path.strip_prefix(folder).unwrap_or(&path);
        let parts: Option<Vec<_>> = within.iter().map(|part| part.to_str()).collect();
        let parts = parts.ok_or_else(|| {
            let reason = format!("{} is not a name in UTF-8", within.display());
            failed(io::Error::new(io::ErrorKind::InvalidInput, reason))
        })?;
        if parts == [RECORD] {
            continue;
        }
        files.push(SharedFile {
            path: parts.join("/"),
            n_bytes: fs::metadata(&path).map_err(failed)?.len(),
        });
    }
    Ok(files)
}

/// Returns where a file of a version belongs. A user with write access to the store cannot write
/// outside of the folder.
fn local_path(folder: &Path, path: &str) -> Result<PathBuf, VersionError> {
    let is_within = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']));
    if !is_within {
        let reason = format!("the record of the version names the file {path:?}");
        return Err(VersionError::Folder {
            path: folder.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, reason),
        });
    }
    Ok(folder.join(path))
}

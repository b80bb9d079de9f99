//! A version that is being made.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use fs4::FileExt;
use serde_json::Value;

use super::{
    VersionError, VersionRecord,
    folders::{file_name, hidden, sync_all, sync_folder},
};
use crate::project_id::ProjectId;

/// A version that is being made: a folder that no reader knows until it is published. Dropping it
/// removes the folder.
#[derive(Debug)]
pub struct NewVersion {
    project: String,
    /// Folder of all versions of the project.
    parent: PathBuf,
    folder: PathBuf,
    /// Held as long as this process lives, so that another one can tell what a dead one left.
    _lock: File,
}

impl NewVersion {
    /// Makes the folder, and removes those that dead processes left.
    pub(super) fn begin(parent: PathBuf, project: &ProjectId) -> Result<Self, VersionError> {
        for left in hidden(&parent)? {
            let is_left = File::open(&left).is_ok_and(|lock| FileExt::try_lock(&lock).is_ok());
            if is_left {
                // Another process may be quicker.
                let _ = fs::remove_dir_all(&left);
            }
        }
        let folder = parent.join(format!(".new-{}", uuid::Uuid::new_v4().simple()));
        let make = || -> io::Result<File> {
            fs::create_dir_all(&folder)?;
            let lock = File::open(&folder)?;
            // A file system without locks takes longer to be cleaned up, that is all.
            let _ = FileExt::try_lock(&lock);
            Ok(lock)
        };
        match make() {
            Ok(lock) => Ok(Self {
                project: project.as_str().to_owned(),
                parent,
                folder,
                _lock: lock,
            }),
            Err(source) => Err(VersionError::Folder {
                path: folder,
                source,
            }),
        }
    }

    /// Returns the folder to write files into.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Gives the folder its name. It is whole on the disk before that.
    pub(super) fn finish(
        self,
        version: &str,
        job: Option<String>,
        metrics: Value,
    ) -> Result<(PathBuf, VersionRecord), VersionError> {
        let record = VersionRecord {
            project: self.project.clone(),
            version: version.to_owned(),
            created_at: seconds_since_1970(),
            job,
            metrics,
            n_bytes: 0,
        };
        self.finish_as(record)
    }

    /// Gives the folder its name, with a record of it that may be older.
    pub(super) fn finish_as(
        self,
        mut record: VersionRecord,
    ) -> Result<(PathBuf, VersionRecord), VersionError> {
        let version = &record.version;
        let name = file_name(version).ok_or_else(|| VersionError::Name {
            version: version.clone(),
        })?;
        let folder = self.parent.join(name);
        if folder.exists() {
            return Err(VersionError::Exists {
                version: version.clone(),
            });
        }
        let mut finish = || -> io::Result<()> {
            record.n_bytes = sync_all(&self.folder)?;
            record.write(&self.folder)?;
            sync_all(&self.folder)?;
            fs::rename(&self.folder, &folder)?;
            sync_folder(&self.parent)
        };
        finish().map_err(|source| VersionError::Folder {
            path: folder.clone(),
            source,
        })?;
        Ok((folder, record))
    }
}

impl Drop for NewVersion {
    fn drop(&mut self) {
        // A published folder has another name by now.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn seconds_since_1970() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

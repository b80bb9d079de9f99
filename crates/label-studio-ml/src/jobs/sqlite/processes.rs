//! Which processes are alive: each holds a lock on its own file for as long as it lives.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use fs4::FileExt;

use crate::jobs::{JobsError, worker_name::worker_name};

/// This process's lock, by whose name its jobs are known.
///
/// The operating system frees a lock when its process ends, however it ends. So a job of a process
/// that was killed is taken back at once, and one of a process that only hangs is not, before its
/// lease ends.
#[derive(Debug)]
pub(super) struct ProcessLock {
    name: String,
    folder: PathBuf,
    _file: File,
}

impl ProcessLock {
    /// Makes a lock in `folder`.
    pub(super) fn take(folder: &Path) -> Result<Self, JobsError> {
        let failed = |path: &Path, source| JobsError::Lock {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let name = worker_name();
        let path = folder.join(&name);
        // The name appears with the lock on it, so that no other process takes it for a dead one's.
        let unnamed = folder.join(format!(".{name}"));
        let locked = || {
            let file = File::create_new(&unnamed)?;
            FileExt::lock(&file)?;
            fs::rename(&unnamed, &path)?;
            io::Result::Ok(file)
        };
        let file = locked().map_err(|source| failed(&path, source))?;
        Ok(Self {
            name,
            folder: folder.to_owned(),
            _file: file,
        })
    }

    /// Returns the name by which the process's jobs are known.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names of the processes that have certainly ended. What they held must be taken
    /// back before they are forgotten.
    pub(super) fn ended(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| !name.starts_with('.') && *name != self.name)
            .filter(|name| is_free(&self.folder.join(name)))
            .collect()
    }

    /// Removes the locks of processes that have ended.
    pub(super) fn forget(&self, names: &[String]) {
        for name in names {
            // Another process may have been quicker.
            let _ = fs::remove_file(self.folder.join(name));
        }
    }
}

fn is_free(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    // A file system without locks gives an error: there, only leases tell.
    FileExt::try_lock(&file).is_ok()
}

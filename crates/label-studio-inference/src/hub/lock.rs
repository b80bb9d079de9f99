//! Locks on downloads: one process fetches a file, the others wait.

use std::{fs::File, io, path::Path};

use fs4::{FileExt, TryLockError};

use super::HubError;

/// A lock on a download, until it is dropped.
pub(super) struct DownloadLock {
    _lock: File,
    /// Whether another process held the lock first.
    pub(super) waited: bool,
}

/// Waits until no other process holds the lock at `path`, and takes it; `name` is that of the file
/// in the log.
pub(super) fn lock(path: &Path, name: &str) -> Result<DownloadLock, HubError> {
    let lock = || -> io::Result<DownloadLock> {
        let lock = File::create(path)?;
        let waited = match FileExt::try_lock(&lock) {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => {
                tracing::info!(
                    file = name,
                    "another process fetches these weights; waiting for it"
                );
                FileExt::lock(&lock)?;
                true
            }
            Err(TryLockError::Error(error)) => return Err(error),
        };
        Ok(DownloadLock {
            _lock: lock,
            waited,
        })
    };
    lock().map_err(|source| HubError::io(path, source))
}

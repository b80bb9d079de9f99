//! Notices that a file was removed or replaced.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How often a file is looked at while its values are served from memory.
const INTERVAL: Duration = Duration::from_millis(200);

/// Identifies a file whatever its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Returns the identity of the file at `path`, `None` if there is none.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Without inodes a file counts as the same.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Path) -> Option<Self> {
        None
    }
}

/// Removes what SQLite leaves beside a file that was removed: a new file would take over the
/// write-ahead log of the old one.
pub(crate) fn remove_orphans(path: &Path) {
    if path.exists() {
        return;
    }
    for suffix in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        // There may be none.
        let _ = std::fs::remove_file(name);
    }
}

/// Says when it is time to look at the file again.
#[derive(Debug)]
pub(super) struct IdentityCheck {
    start: Instant,
    last_millis: AtomicU64,
}

impl Default for IdentityCheck {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            last_millis: AtomicU64::new(0),
        }
    }
}

impl IdentityCheck {
    /// Returns `true` once per interval.
    pub(super) fn is_due(&self) -> bool {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.last_millis.load(Ordering::Relaxed);
        let interval = u64::try_from(INTERVAL.as_millis()).unwrap_or(u64::MAX);
        now.saturating_sub(last) >= interval
            && self
                .last_millis
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

//! A folder of downloads. Files appear in it complete or not at all.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

use super::MediaError;

const N_HASH_DIGITS: usize = 32;
const MAX_NAME_BYTES: usize = 100;
const SEPARATOR: &str = "__";
const PARTIAL_PREFIX: &str = ".partial-";

/// The cache may exceed its limit by one part in so many.
const TOLERANCE: u64 = 16;

/// A partial file untouched for so long belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    max_bytes: Option<u64>,
    in_progress: Mutex<HashMap<PathBuf, Arc<StoreLock>>>,
    /// Bytes added since the last scan of the folder; `None` before the first scan.
    n_added_bytes: Mutex<Option<u64>>,
}

/// Lock of the thread that stores a file. It holds the error for the threads that waited.
type StoreLock = Mutex<Option<Arc<MediaError>>>;

impl Cache {
    pub(super) fn new(dir: PathBuf, max_bytes: Option<u64>) -> Self {
        Self {
            dir,
            max_bytes,
            in_progress: Mutex::default(),
            n_added_bytes: Mutex::default(),
        }
    }

    /// Returns where the content known as `key` is kept: a hash, then the name so that its ending survives.
    pub(super) fn path(&self, key: &str, name: &str) -> PathBuf {
        let mut file_name = String::new();
        for byte in Sha256::digest(key).iter().take(N_HASH_DIGITS / 2) {
            write!(file_name, "{byte:02x}").expect("writing to a string cannot fail");
        }
        file_name += SEPARATOR;
        file_name += &sanitised(name);
        self.dir.join(file_name)
    }

    /// Fills `path` by `write` unless it is there. Threads that want the same path wait for the first of them and share
    /// its outcome.
    pub(super) fn get_or_store(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        if is_there(path) {
            return Ok(());
        }
        let store_lock = Arc::clone(lock(&self.in_progress).entry(path.to_owned()).or_default());
        let result = self.store_locked(&store_lock, path, write);
        drop(store_lock);
        let mut in_progress = lock(&self.in_progress);
        if in_progress
            .get(path)
            .is_some_and(|store_lock| Arc::strong_count(store_lock) == 1)
        {
            in_progress.remove(path);
        }
        result.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(MediaError::Shared))
    }

    fn store_locked(
        &self,
        store_lock: &StoreLock,
        path: &Path,
        write: impl FnOnce(&mut File) -> Result<(), MediaError>,
    ) -> Result<(), Arc<MediaError>> {
        let mut failure = lock(store_lock);
        if let Some(error) = &*failure {
            return Err(Arc::clone(error));
        }
        if is_there(path) {
            return Ok(());
        }
        self.store(path, write)
            .map_err(|error| Arc::clone(failure.insert(Arc::new(error))))
    }

    fn store(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        let failed = |source| MediaError::Io {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let mut partial = tempfile::Builder::new()
            .prefix(PARTIAL_PREFIX)
            .tempfile_in(&self.dir)
            .map_err(failed)?;
        write(partial.as_file_mut())?;
        let n_bytes = partial.as_file().metadata().map_err(failed)?.len();
        partial.persist(path).map_err(|error| failed(error.error))?;
        if let Err(error) = self.make_room(path, n_bytes) {
            tracing::warn!(%error, dir = %self.dir.display(), "cannot tidy the media cache");
        }
        Ok(())
    }

    /// Removes what was not used for longest while there are too many bytes, but never the file that was just stored. Looks
    /// through the folder only now and then, since it may be large and other processes may fill it, too.
    fn make_room(&self, stored: &Path, n_new_bytes: u64) -> io::Result<()> {
        let Some(max_bytes) = self.max_bytes else {
            return Ok(());
        };
        let mut n_added_bytes = lock(&self.n_added_bytes);
        let n_added = n_added_bytes.map(|n_bytes| n_bytes + n_new_bytes);
        if n_added.is_some_and(|n_added| n_added <= max_bytes / TOLERANCE) {
            *n_added_bytes = n_added;
            return Ok(());
        }
        *n_added_bytes = Some(0);
        let mut files = self.files()?;
        files.sort_by_key(|file| file.used_at);
        let mut n_bytes: u64 = files.iter().map(|file| file.n_bytes).sum();
        for file in files {
            let age = file.used_at.elapsed().unwrap_or_default();
            let is_useless = if file.is_partial {
                age > ABANDONED
            } else {
                n_bytes > max_bytes && file.path != stored
            };
            if is_useless && fs::remove_file(&file.path).is_ok() {
                n_bytes -= file.n_bytes;
            }
        }
        Ok(())
    }

    /// Lists the files that this cache has made. Others in the folder are left alone.
    fn files(&self) -> io::Result<Vec<CachedFile>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_partial = name.starts_with(PARTIAL_PREFIX);
            // Another process may have removed it since.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_file() && (is_partial || is_cached_name(name)) {
                files.push(CachedFile {
                    path: entry.path(),
                    n_bytes: metadata.len(),
                    used_at: metadata.modified()?,
                    is_partial,
                });
            }
        }
        Ok(files)
    }
}

struct CachedFile {
    path: PathBuf,
    n_bytes: u64,
    used_at: SystemTime,
    is_partial: bool,
}

/// Returns whether a file is in the cache and, if so, marks it as used.
fn is_there(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    if let Err(error) = file.set_modified(SystemTime::now()) {
        tracing::debug!(%error, "cannot mark a cached file as used");
    }
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn is_cached_name(name: &str) -> bool {
    let hash = name.split_once(SEPARATOR).map_or("", |(hash, _)| hash);
    hash.len() == N_HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Replaces what file systems do not take and shortens the name from its start, so that its ending stays.
fn sanitised(name: &str) -> String {
    let is_safe = |c: char| c.is_alphanumeric() || "-_.%()+=@, ".contains(c);
    let name: String = name
        .chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect();
    let mut start = name.len().saturating_sub(MAX_NAME_BYTES);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    name.get(start..).unwrap_or_default().trim_end().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_waited_for_a_file_share_its_failure() {
        const N_WAITING: usize = 3;
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned(), None);
        let path = cache.path("key", "name");
        let n_holding = || {
            lock(&cache.in_progress)
                .get(&path)
                .map_or(0, Arc::strong_count)
        };
        let fail = |_: &mut File| {
            // The map, this thread and the waiting threads hold the lock.
            while n_holding() < 2 + N_WAITING {
                thread::yield_now();
            }
            Err(MediaError::Truncated { url: "x".into() })
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..=N_WAITING)
                .map(|_| scope.spawn(|| cache.get_or_store(&path, fail)))
                .collect();
            for thread in threads {
                let message = thread.join().unwrap().unwrap_err().to_string();
                assert_eq!(message, "the download of x ended early");
            }
        });
        assert!(lock(&cache.in_progress).is_empty());
        let alone = cache.get_or_store(&path, |_| Err(MediaError::Truncated { url: "x".into() }));
        assert!(matches!(alone, Err(MediaError::Truncated { .. })));
    }

    #[test]
    fn partial_files_of_killed_processes_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned(), Some(1));
        for (name, age) in [
            (".partial-old", 2 * ABANDONED),
            (".partial-new", ABANDONED / 2),
        ] {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        cache
            .get_or_store(&cache.path("key", "name"), |_| Ok(()))
            .unwrap();
        assert!(!dir.path().join(".partial-old").exists());
        assert!(dir.path().join(".partial-new").exists());
    }
}

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

/// A file used so recently may be about to be opened.
const IN_USE: Duration = Duration::from_secs(600);

/// A partial file untouched for so long belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    max_bytes: Option<u64>,
    in_progress: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
    /// Bytes in the folder; none until they are counted.
    size: Mutex<Option<u64>>,
}

impl Cache {
    pub(super) fn new(dir: PathBuf, max_bytes: Option<u64>) -> Self {
        Self {
            dir,
            max_bytes,
            in_progress: Mutex::default(),
            size: Mutex::default(),
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

    /// Fills `path` by `write` unless it is there. Threads that want the same path wait for the first of them.
    pub(super) fn get_or_store(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        if is_there(path) {
            return Ok(());
        }
        let turn = Arc::clone(lock(&self.in_progress).entry(path.to_owned()).or_default());
        let result = {
            let _guard = lock(&turn);
            if is_there(path) {
                Ok(())
            } else {
                self.store(path, write)
            }
        };
        let mut in_progress = lock(&self.in_progress);
        drop(turn);
        if in_progress
            .get(path)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            in_progress.remove(path);
        }
        result
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
        if let Some(max_bytes) = self.max_bytes {
            self.make_room(max_bytes, n_bytes).map_err(failed)?;
        }
        Ok(())
    }

    /// Counts a new file and, when there are too many bytes, removes what was not used for longest.
    fn make_room(&self, max_bytes: u64, n_new_bytes: u64) -> io::Result<()> {
        let mut size = lock(&self.size);
        let known = size.map(|size| size + n_new_bytes);
        if known.is_some_and(|size| size <= max_bytes) {
            *size = known;
            return Ok(());
        }
        let mut files = self.files()?;
        files.sort_by_key(|file| file.used_at);
        let mut n_bytes = files.iter().map(|file| file.n_bytes).sum();
        for file in files {
            let age = file.used_at.elapsed().unwrap_or_default();
            let is_done = n_bytes <= max_bytes || age < IN_USE;
            if is_done && !(file.is_partial && age > ABANDONED) {
                break;
            }
            if file.is_partial && age < ABANDONED {
                continue;
            }
            if fs::remove_file(&file.path).is_ok() {
                n_bytes -= file.n_bytes;
            }
        }
        *size = Some(n_bytes);
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

/// Tells whether a file is in the cache and, if so, marks it as used.
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

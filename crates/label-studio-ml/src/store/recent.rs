//! A cache of values read from an SQLite file, valid until any process commits to the file.

use std::{
    collections::HashMap,
    fs::File,
    mem::ManuallyDrop,
    path::Path,
    sync::{PoisonError, RwLock},
};

use crate::project_id::ProjectId;

/// Length of the header of SQLite's index of the write-ahead log, which every commit changes: a
/// counter of commits, the number of frames, salts and checksums, each of them twice
/// (<https://sqlite.org/walformat.html#the_wal_index_header>).
const MARK_BYTES: usize = 96;
/// Longer values are not cached.
const MAX_VALUE_BYTES: usize = 256;
const MAX_VALUES: usize = 4096;
/// How often the file may be reopened after failures, before the cache is switched off.
const MAX_OPENED: usize = 16;

/// Identifies a state of the file.
type Mark = [u8; MARK_BYTES];

/// Values read since the last commit.
///
/// Comparing the mark costs one read of a file in memory; a query costs three system calls and the
/// query. Without a write-ahead log nothing is cached.
#[derive(Debug, Default)]
pub(super) struct Recent(RwLock<State>);

/// A cached value, or the fact that there is none.
pub(super) struct Known(pub(super) Option<String>);

#[derive(Debug)]
struct State {
    /// Never closed: closing any handle of a file releases all locks of this process on it,
    /// including SQLite's.
    wal_index: Option<ManuallyDrop<File>>,
    n_opened: usize,
    mark: Mark,
    values: HashMap<ProjectId, HashMap<Box<str>, Option<String>>>,
    n_values: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            wal_index: None,
            n_opened: 0,
            mark: [0; MARK_BYTES],
            values: HashMap::new(),
            n_values: 0,
        }
    }
}

impl Recent {
    /// Starts to watch the file at `path`, which has an open connection.
    pub(super) fn watch(&self, path: &Path) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.clear();
        state.wal_index = None;
        if state.n_opened < MAX_OPENED {
            let mut name = path.as_os_str().to_owned();
            name.push("-shm");
            state.wal_index = File::open(name).ok().map(ManuallyDrop::new);
            state.n_opened += 1;
        }
    }

    /// Empties the cache. Call this before the connection is closed: after that, the watched file
    /// may be removed.
    pub(super) fn forget(&self) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.clear();
        state.wal_index = None;
    }

    /// Returns the current mark of the file; `None` when it cannot be read.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .read_mark()
    }

    /// Returns a cached value, if no process has committed since.
    pub(super) fn get(&self, project: &ProjectId, key: &str) -> Option<Known> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let value = state.values.get(project)?.get(key)?;
        (state.read_mark()? == state.mark).then(|| Known(value.clone()))
    }

    /// Caches a value that was read after `mark` was taken, unless a process committed in between.
    pub(super) fn keep(&self, mark: Mark, project: &ProjectId, key: &str, value: Option<&str>) {
        if value.is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
            return;
        }
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.read_mark() != Some(mark) {
            return;
        }
        if state.mark != mark || state.n_values >= MAX_VALUES {
            state.clear();
            state.mark = mark;
        }
        let values = state.values.entry(project.clone()).or_default();
        let is_new = values
            .insert(key.into(), value.map(str::to_owned))
            .is_none();
        state.n_values += usize::from(is_new);
    }
}

impl State {
    fn clear(&mut self) {
        self.values.clear();
        self.n_values = 0;
    }

    /// Reads the mark. Its two halves differ while a commit writes them.
    #[cfg(unix)]
    fn read_mark(&self) -> Option<Mark> {
        use std::os::unix::fs::FileExt;
        let mut mark = [0; MARK_BYTES];
        self.wal_index.as_ref()?.read_exact_at(&mut mark, 0).ok()?;
        let (one, two) = mark.split_at(MARK_BYTES / 2);
        (one == two).then_some(mark)
    }

    #[cfg(not(unix))]
    fn read_mark(&self) -> Option<Mark> {
        None
    }
}

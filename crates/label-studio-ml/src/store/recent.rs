//! Values read from an SQLite file, good until any process commits to it.

use std::{
    collections::HashMap,
    fs::File,
    mem::ManuallyDrop,
    path::Path,
    sync::{PoisonError, RwLock},
};

use crate::project_id::ProjectId;

/// Length of what SQLite's index of the write-ahead log starts with, which every commit changes: a counter of commits, the
/// number of frames, salts and checksums, all of it twice (<https://sqlite.org/walformat.html#the_wal_index_header>).
const MARK_BYTES: usize = 96;
/// Longer values are read anew each time.
const MAX_VALUE_BYTES: usize = 256;
const MAX_VALUES: usize = 4096;
/// Times that the file may be opened anew, after failures, before nothing is kept any more.
const MAX_OPENED: usize = 16;

/// Tells a state of the file from every other one.
type Mark = [u8; MARK_BYTES];

/// Values read since the last commit.
///
/// A look at the mark costs one read of a file that is in memory, a query costs three system calls and the query. Without
/// a write-ahead log in a file of its own nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Recent(RwLock<State>);

/// A value that is known, or known to be missing.
pub(super) struct Known(pub(super) Option<String>);

#[derive(Debug)]
struct State {
    /// Never closed: to close any handle of a file gives up all locks that this process has on it, SQLite's included.
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
    /// Starts to watch the file at `path`, to which there is a connection now.
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

    /// Forgets everything. Must be called before the connection goes: without one, the file that is watched may be removed.
    pub(super) fn forget(&self) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.clear();
        state.wal_index = None;
    }

    /// Returns the mark of the file as it is now; none when it cannot be had.
    pub(super) fn mark(&self) -> Option<Mark> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .read_mark()
    }

    /// Returns what was read before, if nobody has committed since.
    pub(super) fn get(&self, project: &ProjectId, key: &str) -> Option<Known> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let value = state.values.get(project)?.get(key)?;
        (state.read_mark()? == state.mark).then(|| Known(value.clone()))
    }

    /// Keeps a value that was read after `mark` was taken, unless somebody committed in between.
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

//! Values of a shared store that were read, until a replica changes them.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::recent::Known;
use crate::project_id::ProjectId;

/// Size of all values that are remembered, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// Size that a value counts for besides its text, so that many small ones are bounded, too.
const OVERHEAD_BYTES: usize = 256;

/// Values that were read. Empty while changes are not heard.
#[derive(Debug, Default)]
pub(super) struct SharedValues(RwLock<State>);

/// A moment before a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u64);

#[derive(Debug, Default)]
struct State {
    is_listening: bool,
    n_changes: u64,
    n_bytes: usize,
    values: HashMap<ProjectId, HashMap<Box<str>, Option<String>>>,
}

impl SharedValues {
    /// Returns a value that was read and has not changed since.
    pub(super) fn get(&self, project: &ProjectId, key: &str) -> Option<Known> {
        self.read()
            .values
            .get(project)?
            .get(key)
            .cloned()
            .map(Known)
    }

    /// Returns what [`SharedValues::keep`] needs to know, before a value is read.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.read().n_changes)
    }

    /// Remembers a value that was read after `mark` was taken, unless anything has changed since.
    pub(super) fn keep(&self, mark: Mark, project: &ProjectId, key: &str, value: Option<&str>) {
        let n_bytes = OVERHEAD_BYTES + key.len() + value.map_or(0, str::len);
        let mut state = self.write();
        if !state.is_listening || state.n_changes != mark.0 || n_bytes > MAX_BYTES {
            return;
        }
        if state.n_bytes + n_bytes > MAX_BYTES {
            state.clear();
        }
        state.n_bytes += n_bytes;
        let values = state.values.entry(project.clone()).or_default();
        values.insert(key.into(), value.map(str::to_owned));
    }

    /// Forgets a value.
    pub(super) fn forget(&self, project: &ProjectId, key: &str) {
        let mut state = self.write();
        state.n_changes += 1;
        if let Some(values) = state.values.get_mut(project) {
            values.remove(key);
        }
    }

    /// Forgets all values. From now on changes are heard.
    pub(super) fn start(&self) {
        self.restart(true);
    }

    /// Forgets all values. From now on changes are not heard.
    pub(super) fn stop(&self) {
        self.restart(false);
    }

    fn restart(&self, is_listening: bool) {
        let mut state = self.write();
        state.is_listening = is_listening;
        state.n_changes += 1;
        state.clear();
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn clear(&mut self) {
        self.values.clear();
        self.n_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_changed_while_it_was_read_is_not_remembered() {
        let (values, project) = (SharedValues::default(), ProjectId::parse("1"));
        let mark = values.mark();
        values.keep(mark, &project, "k", Some("before anything was heard"));
        assert!(values.get(&project, "k").is_none());
        values.start();
        let mark = values.mark();
        values.forget(&project, "k");
        values.keep(mark, &project, "k", Some("old"));
        assert!(values.get(&project, "k").is_none());
        values.keep(values.mark(), &project, "k", None);
        assert!(matches!(values.get(&project, "k"), Some(Known(None))));
        values.stop();
        assert!(values.get(&project, "k").is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (values, project) = (SharedValues::default(), ProjectId::parse("1"));
        values.start();
        let large = "x".repeat(MAX_BYTES / 4);
        for key in 0..9 {
            values.keep(values.mark(), &project, &key.to_string(), Some(&large));
            assert!(values.read().n_bytes <= MAX_BYTES);
        }
        let largest = "x".repeat(MAX_BYTES);
        values.keep(values.mark(), &project, "k", Some(&largest));
        assert!(values.get(&project, "k").is_none());
    }
}

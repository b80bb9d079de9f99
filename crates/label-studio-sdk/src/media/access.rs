//! Whether cached files may still be used.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::MediaError;

/// Files that are remembered; with more, all are forgotten.
const MAX_FILES: usize = 10_000;

/// Remembers for a while which files Label Studio gave access to.
#[derive(Debug)]
pub(super) struct Access {
    lifetime: Duration,
    given: Mutex<HashMap<String, Instant>>,
}

impl Access {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            given: Mutex::default(),
        }
    }

    /// Asks for access to a file unless it was given a short time ago.
    pub(super) fn check(
        &self,
        key: &str,
        ask: impl FnOnce() -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        let given = self.given().get(key).copied();
        if given.is_some_and(|given| given.elapsed() < self.lifetime) {
            return Ok(());
        }
        ask()?;
        let mut given = self.given();
        if given.len() >= MAX_FILES {
            given.clear();
        }
        given.insert(key.to_owned(), Instant::now());
        Ok(())
    }

    fn given(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

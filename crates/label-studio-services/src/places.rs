//! A bound on what happens at once.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use crate::Deadline;

/// A number of places that threads take and give back.
#[derive(Debug)]
pub(crate) struct Places {
    free: Mutex<usize>,
    given_back: Condvar,
}

/// A place that was taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Places);

impl Places {
    pub(crate) fn new(n_places: usize) -> Self {
        Self {
            free: Mutex::new(n_places),
            given_back: Condvar::new(),
        }
    }

    /// Waits for a place; `None` when none became free in time.
    pub(crate) fn take(&self, deadline: Deadline) -> Option<Place<'_>> {
        // Some platforms cannot wait for ever.
        let time = deadline.remaining().min(Duration::from_secs(24 * 60 * 60));
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut free, _) = self
            .given_back
            .wait_timeout_while(free, time, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(1)?;
        Some(Place(self))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free += 1;
        self.0.given_back.notify_one();
    }
}

//! Callers that wait for the end of a job.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{jobs::JobId, server::http::errors::ApiError};

/// How a job ended.
pub(crate) type Outcome = Result<Value, ApiError>;

/// Callers that wait for the end of a job.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<HashMap<JobId, oneshot::Sender<Outcome>>>);

/// The waiters while nothing else changes them.
pub(crate) struct LockedWaiters<'a>(MutexGuard<'a, HashMap<JobId, oneshot::Sender<Outcome>>>);

impl Waiters {
    /// Keeps jobs from ending unheard between their being stored and their waiters being added.
    pub(crate) fn lock(&self) -> LockedWaiters<'_> {
        LockedWaiters(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the caller that waits for a job, if there is one.
    pub(crate) fn tell(&self, id: JobId, outcome: Outcome) {
        let waiter = self.lock().0.remove(&id);
        if let Some(waiter) = waiter {
            // The caller may have left.
            let _ = waiter.send(outcome);
        }
    }

    /// Lets the caller that waits for a job wait no more.
    pub(crate) fn forget(&self, id: JobId) {
        self.lock().0.remove(&id);
    }
}

impl LockedWaiters<'_> {
    /// Adds a caller, and forgets those that have left.
    pub(crate) fn add(&mut self, id: JobId, waiter: oneshot::Sender<Outcome>) {
        if self.0.len() >= self.0.capacity() {
            self.0.retain(|_, waiter| !waiter.is_closed());
        }
        self.0.insert(id, waiter);
    }
}

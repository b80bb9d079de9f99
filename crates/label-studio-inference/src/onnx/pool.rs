//! A pool of values of which each is used by one thread at a time.

use std::{
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, PoisonError},
};

pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    returned: Condvar,
}

/// A value of a pool; returned when dropped, also on a panic.
pub(super) struct Pooled<'a, T> {
    pool: &'a Pool<T>,
    value: Option<T>,
}

impl<T> Pool<T> {
    pub(super) fn new(values: Vec<T>) -> Self {
        Self {
            idle: Mutex::new(values),
            returned: Condvar::new(),
        }
    }

    /// Waits for an idle value.
    pub(super) fn take(&self) -> Pooled<'_, T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = self
            .returned
            .wait_while(idle, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        Pooled {
            pool: self,
            value: idle.pop(),
        }
    }
}

impl<T> Drop for Pooled<'_, T> {
    fn drop(&mut self) {
        let mut idle = self
            .pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.value.take());
        self.pool.returned.notify_one();
    }
}

impl<T> Deref for Pooled<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value
            .as_ref()
            .expect("a pooled value is held until dropped")
    }
}

impl<T> DerefMut for Pooled<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value
            .as_mut()
            .expect("a pooled value is held until dropped")
    }
}

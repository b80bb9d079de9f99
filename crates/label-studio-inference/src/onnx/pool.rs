//! A fixed number of things that threads take turns with.

use std::{
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, PoisonError},
};

pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    returned: Condvar,
}

/// One thing of a pool; goes back when dropped, also when its user panics.
pub(super) struct Lease<'a, T> {
    pool: &'a Pool<T>,
    thing: Option<T>,
}

impl<T> Pool<T> {
    pub(super) fn new(things: Vec<T>) -> Self {
        Self {
            idle: Mutex::new(things),
            returned: Condvar::new(),
        }
    }

    /// Waits for a free thing.
    pub(super) fn take(&self) -> Lease<'_, T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = self
            .returned
            .wait_while(idle, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        Lease {
            pool: self,
            thing: idle.pop(),
        }
    }
}

impl<T> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        let mut idle = self
            .pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.thing.take());
        self.pool.returned.notify_one();
    }
}

impl<T> Deref for Lease<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing
            .as_ref()
            .expect("a lease holds its thing until dropped")
    }
}

impl<T> DerefMut for Lease<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing
            .as_mut()
            .expect("a lease holds its thing until dropped")
    }
}

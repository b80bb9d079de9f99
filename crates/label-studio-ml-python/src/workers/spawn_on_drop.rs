//! Finishes a call whose caller has left.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::runtime::Handle;

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that is spawned as a task when it is dropped before it has ended.
///
/// Until then it runs where it is awaited, which saves waking another thread for every call.
pub(super) struct SpawnOnDrop<T: Send + 'static> {
    running: Option<Running<T>>,
    is_wanted: Arc<AtomicBool>,
    runtime: Handle,
}

impl<T: Send + 'static> SpawnOnDrop<T> {
    /// Wraps a future; `is_wanted` becomes false when its caller leaves.
    pub(super) fn new(
        runtime: Handle,
        is_wanted: Arc<AtomicBool>,
        running: impl Future<Output = T> + Send + 'static,
    ) -> Self {
        Self {
            running: Some(Box::pin(running)),
            is_wanted,
            runtime,
        }
    }
}

impl<T: Send + 'static> Future for SpawnOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let polled = running.as_mut().poll(context);
        if polled.is_ready() {
            self.running = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for SpawnOnDrop<T> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.is_wanted.store(false, Ordering::Relaxed);
            self.runtime.spawn(running);
        }
    }
}

//! Permits for calls to the model. Interactive calls, for which an annotator waits, come first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::server::http::errors::ApiError;

/// `Retry-After` of a full queue, in seconds.
const RETRY_AFTER: u32 = 1;

/// The order in which calls get permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// An annotator waits for the answer.
    Interactive,
    /// Everything else.
    Batch,
}

impl Priority {
    pub(crate) const fn of(is_interactive: bool) -> Self {
        if is_interactive {
            Self::Interactive
        } else {
            Self::Batch
        }
    }
}

/// A number of permits, and the queue of the calls that wait for one.
pub(crate) struct Permits {
    max_queue: usize,
    state: Mutex<State>,
}

struct State {
    n_free: usize,
    interactive: VecDeque<Waiting>,
    batch: VecDeque<Waiting>,
}

/// A call in the queue; its receiver is gone once it was cancelled.
type Waiting = oneshot::Sender<Permit>;

/// A permit, released when it is dropped.
pub(crate) struct Permit(Option<Arc<Permits>>);

impl Permits {
    /// Creates `n_permits` permits, for which at most `max_queue` calls may wait.
    pub(crate) fn new(n_permits: usize, max_queue: usize) -> Arc<Self> {
        Arc::new(Self {
            max_queue,
            state: Mutex::new(State {
                n_free: n_permits,
                interactive: VecDeque::new(),
                batch: VecDeque::new(),
            }),
        })
    }

    /// Returns a permit if one is free. Then no call waits.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Option<Permit> {
        let mut state = self.state();
        state.n_free = state.n_free.checked_sub(1)?;
        Some(Permit(Some(Arc::clone(self))))
    }

    /// Waits for a permit. Dropping the future leaves the queue.
    pub(crate) async fn acquire(self: &Arc<Self>, priority: Priority) -> Result<Permit, ApiError> {
        let receiver = {
            let mut state = self.state();
            if state.n_free > 0 {
                state.n_free -= 1;
                return Ok(Permit(Some(Arc::clone(self))));
            }
            if state.n_waiting() >= self.max_queue {
                let detail = format!(
                    "all threads are busy and {} requests wait; try again soon, or raise THREADS or MAX_QUEUE",
                    self.max_queue
                );
                return Err(ApiError::busy(detail, RETRY_AFTER));
            }
            let (sender, receiver) = oneshot::channel();
            match priority {
                Priority::Interactive => state.interactive.push_back(sender),
                Priority::Batch => state.batch.push_back(sender),
            }
            receiver
        };
        Ok(receiver.await.expect("a waiting call is never forgotten"))
    }

    /// Returns how many calls wait for a permit.
    pub(crate) fn n_waiting(&self) -> usize {
        self.state().n_waiting()
    }

    fn release(self: &Arc<Self>) {
        let mut state = self.state();
        while let Some(waiting) = state.next() {
            let Err(mut refused) = waiting.send(Permit(Some(Arc::clone(self)))) else {
                return;
            };
            // The call was cancelled meanwhile. Its permit must not come back here.
            refused.0 = None;
        }
        state.n_free += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> Option<Waiting> {
        self.interactive
            .pop_front()
            .or_else(|| self.batch.pop_front())
    }

    /// Counts the waiting calls, and removes the cancelled ones.
    fn n_waiting(&mut self) -> usize {
        self.interactive.retain(|waiting| !waiting.is_closed());
        self.batch.retain(|waiting| !waiting.is_closed());
        self.interactive.len() + self.batch.len()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(permits) = self.0.take() {
            permits.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    type Acquiring = std::pin::Pin<Box<dyn Future<Output = Result<Permit, ApiError>> + Send>>;

    fn acquire(permits: &Arc<Permits>, priority: Priority) -> Acquiring {
        let permits = Arc::clone(permits);
        Box::pin(async move { permits.acquire(priority).await })
    }

    /// Returns the permit, if the call has got one.
    async fn now(acquiring: &mut Acquiring) -> Option<Permit> {
        std::future::poll_fn(|cx| {
            Poll::Ready(match acquiring.as_mut().poll(cx) {
                Poll::Ready(permit) => Some(permit.expect("the queue has room")),
                Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test]
    async fn interactive_calls_come_before_batch_calls() {
        let permits = Permits::new(1, 9);
        let running = permits.acquire(Priority::Batch).await.unwrap();
        let mut batch = acquire(&permits, Priority::Batch);
        let mut interactive = acquire(&permits, Priority::Interactive);
        assert!(now(&mut batch).await.is_none());
        assert!(now(&mut interactive).await.is_none());
        assert_eq!(permits.n_waiting(), 2);
        drop(running);
        assert!(now(&mut batch).await.is_none(), "the batch still waits");
        let interactive = now(&mut interactive).await.expect("it comes first");
        drop(interactive);
        assert!(now(&mut batch).await.is_some());
    }

    #[tokio::test]
    async fn a_cancelled_call_leaves_the_queue() {
        let permits = Permits::new(1, 1);
        let running = permits.acquire(Priority::Batch).await.unwrap();
        let mut cancelled = acquire(&permits, Priority::Batch);
        assert!(now(&mut cancelled).await.is_none());
        assert!(
            permits.acquire(Priority::Interactive).await.is_err(),
            "the queue is full"
        );
        drop(cancelled);
        assert_eq!(permits.n_waiting(), 0);
        let mut next = acquire(&permits, Priority::Batch);
        assert!(now(&mut next).await.is_none());
        drop(running);
        let got = now(&mut next).await.expect("the permit is not lost");
        drop(got);
        assert!(now(&mut acquire(&permits, Priority::Batch)).await.is_some());
    }

    #[tokio::test]
    async fn a_permit_that_nobody_took_over_is_free_again() {
        let permits = Permits::new(1, 9);
        let running = permits.acquire(Priority::Batch).await.unwrap();
        let mut waiting = acquire(&permits, Priority::Batch);
        assert!(now(&mut waiting).await.is_none());
        // The permit is on its way to a call that is cancelled before it looks.
        drop(running);
        drop(waiting);
        assert!(now(&mut acquire(&permits, Priority::Batch)).await.is_some());
    }
}

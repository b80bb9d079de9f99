//! A bound on open requests.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::deadline::Deadline;

/// A number of permits that threads take and return. Waiting threads get one in the order of their arrival, so that a
/// request with one task does not wait for the end of a large batch.
#[derive(Debug)]
pub struct Permits {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    n_free: usize,
    queue: VecDeque<u64>,
    next_ticket: u64,
}

/// A permit that was taken; dropping it returns it.
#[derive(Debug)]
pub struct Permit<'a>(&'a Permits);

impl Permits {
    /// Creates permits that are all free.
    pub fn new(n_permits: usize) -> Self {
        Self {
            state: Mutex::new(State {
                n_free: n_permits,
                queue: VecDeque::new(),
                next_ticket: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits for a permit; `None` when none became free in time. Dropping it returns it.
    pub fn take(&self, deadline: Deadline) -> Option<Permit<'_>> {
        // Some platforms cannot wait without a limit.
        let time = deadline.remaining().min(Duration::from_secs(24 * 60 * 60));
        let mut state = self.locked();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.queue.push_back(ticket);
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, time, |state| !state.is_turn_of(ticket))
            .unwrap_or_else(PoisonError::into_inner);
        let is_turn = state.is_turn_of(ticket);
        state.queue.retain(|waiting| *waiting != ticket);
        if is_turn {
            state.n_free -= 1;
        }
        // Another thread may be first in the queue now.
        self.changed.notify_all();
        is_turn.then(|| Permit(self))
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_turn_of(&self, ticket: u64) -> bool {
        self.n_free > 0 && self.queue.front() == Some(&ticket)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.locked().n_free += 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::Permits;
    use crate::Deadline;

    #[test]
    fn permits_go_out_in_the_order_of_arrival() {
        let permits = Permits::new(1);
        let permit = permits.take(Deadline::predict()).unwrap();
        let (sender, order) = mpsc::channel();
        thread::scope(|scope| {
            let waiting = sender.clone();
            scope.spawn(|| {
                let _permit = permits.take(Deadline::predict()).unwrap();
                waiting.send("one task").unwrap();
                drop(waiting);
            });
            while permits.locked().queue.is_empty() {
                thread::yield_now();
            }
            drop(permit);
            let _permit = permits.take(Deadline::predict()).unwrap();
            sender.send("the next of a batch").unwrap();
        });
        drop(sender);
        let order: Vec<_> = order.iter().collect();
        assert_eq!(order, ["one task", "the next of a batch"]);
    }

    #[test]
    fn a_thread_that_gives_up_leaves_the_queue() {
        let permits = Permits::new(1);
        let permit = permits.take(Deadline::predict()).unwrap();
        assert!(permits.take(Deadline::after(Duration::ZERO)).is_none());
        drop(permit);
        assert!(permits.take(Deadline::after(Duration::ZERO)).is_some());
    }
}

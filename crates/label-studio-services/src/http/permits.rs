//! A bound on what happens at once.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::Deadline;

/// A number of places that threads take and give back. Who has waited longest is next, so that somebody who asks about
/// one task is not kept waiting by a large batch.
#[derive(Debug)]
pub(crate) struct Places {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    n_free: usize,
    queue: VecDeque<u64>,
    next_ticket: u64,
}

/// A place that was taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Places);

impl Places {
    pub(crate) fn new(n_places: usize) -> Self {
        Self {
            state: Mutex::new(State {
                n_free: n_places,
                queue: VecDeque::new(),
                next_ticket: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits for a place; `None` when none became free in time.
    pub(crate) fn take(&self, deadline: Deadline) -> Option<Place<'_>> {
        // Some platforms cannot wait for ever.
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
        is_turn.then(|| Place(self))
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

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.locked().n_free += 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::Places;
    use crate::Deadline;

    #[test]
    fn who_has_waited_longest_is_next() {
        let places = Places::new(1);
        let place = places.take(Deadline::predict()).unwrap();
        let (sender, order) = mpsc::channel();
        thread::scope(|scope| {
            let waiting = sender.clone();
            scope.spawn(|| {
                let _place = places.take(Deadline::predict()).unwrap();
                waiting.send("one task").unwrap();
                drop(waiting);
            });
            while places.locked().queue.is_empty() {
                thread::yield_now();
            }
            drop(place);
            let _place = places.take(Deadline::predict()).unwrap();
            sender.send("the next of a batch").unwrap();
        });
        drop(sender);
        let order: Vec<_> = order.iter().collect();
        assert_eq!(order, ["one task", "the next of a batch"]);
    }

    #[test]
    fn who_gives_up_does_not_block_the_queue() {
        let places = Places::new(1);
        let place = places.take(Deadline::predict()).unwrap();
        assert!(places.take(Deadline::after(Duration::ZERO)).is_none());
        drop(place);
        assert!(places.take(Deadline::after(Duration::ZERO)).is_some());
    }
}

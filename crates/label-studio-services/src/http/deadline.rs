//! Deadlines of answers.

use std::time::{Duration, Instant};

/// Label Studio closes the connection after 100 s; the rest is for the way there and back.
const PREDICT: Duration = Duration::from_secs(90);

/// Time after which an answer is useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Creates a deadline that much from now; none at all when the clock does not reach that far.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// Creates the deadline of a whole `predict` call that starts now: 90 s, since Label Studio closes the connection after 100 s.
    pub fn predict() -> Self {
        Self::after(PREDICT)
    }

    /// Returns this deadline, or that much from now if it is earlier.
    #[must_use]
    pub fn at_most(self, time: Duration) -> Self {
        let other = Self::after(time);
        if other.remaining() < self.remaining() {
            other
        } else {
            self
        }
    }

    /// Returns the time that is left, zero when none is.
    pub fn remaining(self) -> Duration {
        self.0.map_or(Duration::MAX, |at| {
            at.saturating_duration_since(Instant::now())
        })
    }

    /// Returns whether no time is left.
    pub fn is_over(self) -> bool {
        self.remaining().is_zero()
    }
}

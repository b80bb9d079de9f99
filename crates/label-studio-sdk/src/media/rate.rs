//! How fast a download must be.

use std::time::{Duration, Instant};

/// Measures a download over windows of time.
#[derive(Debug)]
pub(super) struct Rate {
    window: Duration,
    started: Instant,
    n_bytes: u64,
}

impl Rate {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            started: Instant::now(),
            n_bytes: 0,
        }
    }

    /// Adds bytes that came in. At the end of a window, returns the bytes per second in it.
    pub(super) fn add(&mut self, n_bytes: u64) -> Option<u64> {
        self.n_bytes += n_bytes;
        let elapsed = self.started.elapsed();
        if elapsed < self.window {
            return None;
        }
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let rate = self.n_bytes.saturating_mul(1000) / millis.max(1);
        *self = Self::new(self.window);
        Some(rate)
    }
}

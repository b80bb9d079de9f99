//! The latest predictions and failures, for a user who looks for the reason of a failure.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

/// Predictions that are remembered.
const N_CALLS: usize = 512;
/// Failures that are remembered; equal ones count as one.
const N_FAILURES: usize = 30;
/// Longest detail of a failure.
const MAX_DETAIL_CHARS: usize = 1000;
/// Bits of a remembered call: whether it is one, whether it was answered, its duration in tenths of
/// a millisecond, and when it ended, in milliseconds after the start.
const IS_CALL: u64 = 1;
const IS_OK: u64 = 2;
const DURATION_AT: u32 = 2;
const DURATION_BITS: u32 = 22;
const END_AT: u32 = DURATION_AT + DURATION_BITS;

/// The latest predictions and failures.
pub(crate) struct History {
    started: Instant,
    calls: [AtomicU64; N_CALLS],
    n_calls: AtomicUsize,
    failures: Mutex<VecDeque<Failure>>,
}

/// A prediction that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct RecentCall {
    /// Seconds since it was answered.
    age: f64,
    milliseconds: f64,
    is_ok: bool,
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Failure {
    /// When it failed last, in seconds since 1970.
    at: f64,
    route: &'static str,
    status: u16,
    detail: String,
    /// Id of the last such request.
    request_id: String,
    /// How often the same happened.
    count: u64,
}

/// Why a request failed. Answers carry it to where it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) detail: String,
    pub(crate) request_id: String,
}

impl Default for History {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            calls: [const { AtomicU64::new(0) }; N_CALLS],
            n_calls: AtomicUsize::new(0),
            failures: Mutex::default(),
        }
    }
}

impl History {
    /// Remembers a prediction.
    pub(crate) fn note_call(&self, is_ok: bool, took: Duration) {
        let tenths = u64::try_from(took.as_micros() / 100).unwrap_or(u64::MAX);
        let tenths = tenths.min((1 << DURATION_BITS) - 1);
        let end = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0);
        let is_ok = if is_ok { IS_OK } else { 0 };
        let call = IS_CALL | is_ok | (tenths << DURATION_AT) | (end << END_AT);
        let idx = self.n_calls.fetch_add(1, Ordering::Relaxed) % N_CALLS;
        self.calls[idx].store(call, Ordering::Relaxed);
    }

    /// Remembers a failure.
    pub(crate) fn note_failure(&self, route: &'static str, status: u16, reason: Reason) {
        let detail: String = reason.detail.chars().take(MAX_DETAIL_CHARS).collect();
        let mut failures = self.failures();
        let same = failures.iter().position(|known| {
            (known.route, known.status, &known.detail) == (route, status, &detail)
        });
        let count = same
            .and_then(|idx| failures.remove(idx))
            .map_or(0, |known| known.count);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        failures.push_front(Failure {
            at: now.unwrap_or_default().as_secs_f64(),
            route,
            status,
            detail,
            request_id: reason.request_id,
            count: count + 1,
        });
        failures.truncate(N_FAILURES);
    }

    /// Returns the latest predictions, in no order.
    pub(crate) fn recent_calls(&self) -> Vec<RecentCall> {
        let now = self.started.elapsed();
        let calls = self.calls.iter().map(|call| call.load(Ordering::Relaxed));
        let calls = calls.filter(|call| call & IS_CALL != 0);
        let calls = calls.map(|call| {
            let tenths = (call >> DURATION_AT) & ((1 << DURATION_BITS) - 1);
            let ended = Duration::from_millis(call >> END_AT);
            RecentCall {
                age: now.saturating_sub(ended).as_secs_f64(),
                milliseconds: Duration::from_micros(tenths * 100).as_secs_f64() * 1000.0,
                is_ok: call & IS_OK != 0,
            }
        });
        calls.collect()
    }

    /// Returns the latest failures, newest first.
    pub(crate) fn recent_failures(&self) -> Vec<Failure> {
        self.failures().iter().cloned().collect()
    }

    /// Returns how long the server has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    fn failures(&self) -> MutexGuard<'_, VecDeque<Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_calls_are_remembered_with_their_durations() {
        let history = History::default();
        history.note_call(true, Duration::from_micros(1_500));
        history.note_call(false, Duration::from_secs(100_000));
        let calls = history.recent_calls();
        assert_eq!(calls.len(), 2);
        assert!(calls[0].is_ok && (calls[0].milliseconds - 1.5).abs() < 1e-9);
        assert!(!calls[1].is_ok && calls[1].milliseconds > 400_000.0);
        assert!(calls.iter().all(|call| (0.0..10.0).contains(&call.age)));
        for _ in 0..2 * N_CALLS {
            history.note_call(true, Duration::ZERO);
        }
        let calls = history.recent_calls();
        assert_eq!(calls.len(), N_CALLS);
        assert!(calls.iter().all(|call| call.is_ok), "old ones are gone");
    }

    #[test]
    fn equal_failures_count_as_one_and_the_newest_comes_first() {
        let history = History::default();
        let note = |detail: &str, id: &str| {
            let (detail, request_id) = (detail.to_owned(), id.to_owned());
            history.note_failure("/predict", 500, Reason { detail, request_id });
        };
        note("no weights", "1");
        note("no memory", "2");
        note("no weights", "3");
        let failures = history.recent_failures();
        let shown: Vec<_> = failures
            .iter()
            .map(|failure| (&*failure.detail, &*failure.request_id, failure.count))
            .collect();
        assert_eq!(shown, [("no weights", "3", 2), ("no memory", "2", 1)]);
        for number in 0..100 {
            note(&number.to_string(), "x");
        }
        assert_eq!(history.recent_failures().len(), N_FAILURES);
    }
}

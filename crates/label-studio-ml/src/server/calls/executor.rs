//! Runs calls to the model: inline on the I/O thread or on a blocking thread. A change of thread
//! costs more than a fast call.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::server::{calls::model_slot::panic_text, http::errors::ApiError};

/// Longest duration of a fast call.
const FAST: Duration = Duration::from_millis(1);
/// Fast calls needed in a row before calls run inline on the I/O thread.
const FAST_CALLS_NEEDED: u32 = 32;
/// Limit of the count of fast calls.
const MAX_FAST_CALLS: u32 = 64;
/// How much a slow call lowers the count of fast calls, for each [`FAST`] that it took. A busy
/// machine delays any call now and then, so one slow call does not reset the count.
const FAST_CALLS_LOST: u32 = 8;

/// Runs calls on blocking threads, or inline once calls of this kind were fast.
///
/// After a slow inline call the next calls run on blocking threads again. An inline call blocks one
/// of the I/O threads; there is one I/O thread more than inline permits, so the server always
/// answers.
pub(crate) struct Executor {
    inline_permits: Semaphore,
    n_fast_calls: AtomicU32,
}

impl Executor {
    /// Creates an executor for a server with more than `n_inline_permits` I/O threads.
    pub(crate) fn new(n_inline_permits: usize) -> Self {
        Self {
            inline_permits: Semaphore::new(n_inline_permits),
            n_fast_calls: AtomicU32::new(0),
        }
    }

    /// Runs a call. Unless it `may_run_inline` it gets a blocking thread and is not counted: a
    /// first call, or a large request, says little about the next one.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        may_run_inline: bool,
        call: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if !may_run_inline {
            return run_blocking(call).await;
        }
        let started = Instant::now();
        if self.n_fast_calls.load(Ordering::Relaxed) >= FAST_CALLS_NEEDED
            && let Ok(_permit) = self.inline_permits.try_acquire()
        {
            let result = guarded(call);
            self.record(started.elapsed());
            return result;
        }
        let (result, took) = run_blocking(move || {
            let started = Instant::now();
            Ok((guarded(call), started.elapsed()))
        })
        .await?;
        self.record(took);
        result
    }

    fn record(&self, took: Duration) {
        let n_fast = self.n_fast_calls.load(Ordering::Relaxed);
        let n_times_too_long =
            u32::try_from(took.as_micros() / FAST.as_micros()).unwrap_or(MAX_FAST_CALLS);
        let n_fast_now = match n_times_too_long {
            0 => MAX_FAST_CALLS.min(n_fast + 1),
            times => n_fast.saturating_sub(times.saturating_mul(FAST_CALLS_LOST)),
        };
        if n_fast_now != n_fast {
            self.n_fast_calls.store(n_fast_now, Ordering::Relaxed);
        }
    }
}

/// Returns the number of I/O threads: one for each core, and one that no inline call blocks.
pub(crate) fn n_worker_threads() -> usize {
    n_cores() + 1
}

/// Returns the number of cores that the process may use.
pub(crate) fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Runs code of the model's author on a blocking thread. A panic is an error of this call.
pub(crate) async fn run_blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let joined = tokio::task::spawn_blocking(move || guarded(run)).await;
    joined.unwrap_or_else(|error| Err(ApiError::model(&error.into())))
}

/// Runs code of the model's author on this thread. A panic is an error.
pub(crate) fn catch_panic<T>(run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(anyhow::Error::msg(panic_text(&*panic))))
}

fn guarded<T>(run: impl FnOnce() -> Result<T, ApiError>) -> Result<T, ApiError> {
    catch_panic(|| Ok(run())).unwrap_or_else(|error| Err(ApiError::model(&error)))
}

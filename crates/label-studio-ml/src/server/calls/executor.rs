//! Where a call to the model runs: a change of thread costs more than a quick model.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::server::{calls::model_slot::panic_text, http::errors::ApiError};

/// A call that takes no longer than this may run where the request was read.
const QUICK: Duration = Duration::from_millis(1);
/// Trust that quick calls must have earned, one each, before one runs where the request was read.
const NEEDED_TRUST: u32 = 32;
/// Trust that can be earned at most.
const MAX_TRUST: u32 = 64;
/// Trust that a call loses for each time that it takes as long as a quick one may. A busy machine makes any call late now
/// and then.
const LOSS: u32 = 8;

/// Runs calls on threads of their own, and those of a kind that has proved quick where the request was read.
///
/// A call that turns out slow sends those after it to threads of their own again. Until it ends it holds up one of the
/// server's threads, of which one more exists than may be held up.
pub(crate) struct Lanes {
    places: Semaphore,
    trust: AtomicU32,
}

impl Lanes {
    /// Creates lanes for a server with more than `n_places` threads.
    pub(crate) fn new(n_places: usize) -> Self {
        Self {
            places: Semaphore::new(n_places),
            trust: AtomicU32::new(0),
        }
    }

    /// Runs a call. One that is not `alike` those before it, as a first one, gets a thread of its own and proves nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        alike: bool,
        call: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if !alike {
            return on_own_thread(call).await;
        }
        let started = Instant::now();
        if self.trust.load(Ordering::Relaxed) >= NEEDED_TRUST
            && let Ok(_place) = self.places.try_acquire()
        {
            let result = guarded(call);
            self.prove(started.elapsed());
            return result;
        }
        let (result, took) = on_own_thread(move || {
            let started = Instant::now();
            Ok((guarded(call), started.elapsed()))
        })
        .await?;
        self.prove(took);
        result
    }

    fn prove(&self, took: Duration) {
        let trust = self.trust.load(Ordering::Relaxed);
        let times_as_long =
            u32::try_from(took.as_micros() / QUICK.as_micros()).unwrap_or(MAX_TRUST);
        let trust_now = match times_as_long {
            0 => MAX_TRUST.min(trust + 1),
            times => trust.saturating_sub(times.saturating_mul(LOSS)),
        };
        if trust_now != trust {
            self.trust.store(trust_now, Ordering::Relaxed);
        }
    }
}

/// Threads of a server: one for each core, and one that no quick call holds up.
pub(crate) fn n_workers() -> usize {
    n_cores() + 1
}

/// Cores of this machine, as far as the process may use them.
pub(crate) fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Runs code of the model's author on a thread of its own. A panic is an error of this call.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let joined = tokio::task::spawn_blocking(move || guarded(run)).await;
    joined.unwrap_or_else(|error| Err(ApiError::model(&error.into())))
}

fn guarded<T>(run: impl FnOnce() -> Result<T, ApiError>) -> Result<T, ApiError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(ApiError::model(&anyhow::Error::msg(panic_text(&*panic)))))
}

//! The thread that stores jobs: those that arrive together in one commit.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use tokio::sync::oneshot;

use crate::{
    jobs::{Backlog, Jobs, JobsError, NewJob, Pushed},
    server::{
        http::errors::ApiError,
        jobs::waiters::{Outcome, Waiters},
    },
};

/// Jobs that are stored in one commit.
const MAX_BATCH: usize = 256;
/// How long a count of the waiting jobs is used.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// How long it is used when it says that too many wait.
const COUNT_AGAIN: Duration = Duration::from_millis(100);
/// `Retry-After` when too many jobs wait, in seconds.
const RETRY_AFTER: u32 = 10;

/// Most jobs that may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobLimits {
    /// Number of jobs.
    pub(crate) max_jobs: u64,
    /// Size of their payloads together, in bytes.
    pub(crate) max_bytes: u64,
}

/// Stores jobs.
pub(crate) struct Intake(Sender<Arrival>);

/// Jobs to be stored, all or none, and their caller.
struct Arrival {
    jobs: Vec<NewJob>,
    stored: oneshot::Sender<Result<Pushed, ApiError>>,
    ended: oneshot::Sender<Outcome>,
}

/// Jobs that were stored.
pub(crate) struct Stored {
    /// The last of them.
    pub(crate) last: Pushed,
    /// Hears how the last one ends; closed without a word if nothing is to be heard.
    pub(crate) ended: oneshot::Receiver<Outcome>,
}

struct Storing {
    jobs: Arc<dyn Jobs>,
    waiters: Arc<Waiters>,
    limits: JobLimits,
    backlog: Backlog,
    counted_at: Option<Instant>,
}

impl Intake {
    /// Starts the thread, which calls `wake` after each commit.
    pub(crate) fn start(
        jobs: Arc<dyn Jobs>,
        waiters: Arc<Waiters>,
        limits: JobLimits,
        wake: impl Fn() + Send + 'static,
    ) -> Self {
        let (sender, arrivals) = mpsc::channel();
        let mut storing = Storing {
            jobs,
            waiters,
            limits,
            backlog: Backlog::default(),
            counted_at: None,
        };
        let run = move || {
            while let Some(batch) = next_batch(&arrivals) {
                storing.store(batch);
                wake();
            }
        };
        let spawned = thread::Builder::new().name("intake".to_owned()).spawn(run);
        if let Err(error) = spawned {
            tracing::error!("no training can be stored: cannot start a thread: {error}");
        }
        Self(sender)
    }

    /// Stores at least one job, all or none. They are on the disk when this returns.
    pub(crate) async fn store(&self, jobs: Vec<NewJob>) -> Result<Stored, ApiError> {
        let (stored, is_stored) = oneshot::channel();
        let (ended, has_ended) = oneshot::channel();
        let arrival = Arrival {
            jobs,
            stored,
            ended,
        };
        let gone = || ApiError::busy("the server is ending", RETRY_AFTER);
        self.0.send(arrival).map_err(|_| gone())?;
        let last = is_stored.await.map_err(|_| gone())??;
        Ok(Stored {
            last,
            ended: has_ended,
        })
    }
}

/// Waits for a job, and takes those along that have arrived meanwhile. `None` at the end.
fn next_batch(arrivals: &Receiver<Arrival>) -> Option<Vec<Arrival>> {
    let first = arrivals.recv().ok()?;
    let others = arrivals.try_iter().take(MAX_BATCH - 1);
    Some(std::iter::once(first).chain(others).collect())
}

impl Storing {
    fn store(&mut self, batch: Vec<Arrival>) {
        let mut new = Vec::with_capacity(batch.len());
        let mut callers = Vec::with_capacity(batch.len());
        for arrival in batch {
            if let Err(error) = self.admit(&arrival.jobs) {
                // The caller may have left.
                let _ = arrival.stored.send(Err(error));
                continue;
            }
            new.extend(arrival.jobs);
            callers.push((new.len(), arrival.stored, arrival.ended));
        }
        // No job of this batch may end before its caller is known.
        let mut waiters = self.waiters.lock();
        match self.jobs.push(&new) {
            Ok(pushed) => {
                for (n_before, stored, ended) in callers {
                    let Some(last) = n_before.checked_sub(1).and_then(|idx| pushed.get(idx)) else {
                        continue;
                    };
                    if !last.is_merged {
                        waiters.add(last.id, ended);
                    }
                    let _ = stored.send(Ok(*last));
                }
            }
            Err(error) => {
                let detail = format!("{:#}", anyhow::Error::from(error));
                for (_, stored, _) in callers {
                    let status = StatusCode::INTERNAL_SERVER_ERROR;
                    let _ = stored.send(Err(ApiError::new(status, detail.clone())));
                }
            }
        }
    }

    /// Counts jobs in, unless too many wait.
    fn admit(&mut self, jobs: &[NewJob]) -> Result<(), ApiError> {
        let JobLimits {
            max_jobs,
            max_bytes,
        } = self.limits;
        let n_new_bytes: usize = jobs.iter().map(|job| job.payload.len()).sum();
        let with_new = |backlog: &Backlog| backlog.n_bytes + n_new_bytes as u64;
        let is_full = self.backlog.n_jobs >= max_jobs || with_new(&self.backlog) > max_bytes;
        let lasts = if is_full { COUNT_AGAIN } else { COUNT_EVERY };
        if self.counted_at.is_none_or(|at| at.elapsed() >= lasts) {
            self.count().map_err(|error| {
                let detail = format!("{:#}", anyhow::Error::from(error));
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
            })?;
        }
        let n_bytes = with_new(&self.backlog);
        if self.backlog.n_jobs >= max_jobs {
            let detail = format!(
                "{} trainings and events wait, which is as many as may; \
                 look at /jobs for what holds them up, or raise MAX_JOBS",
                self.backlog.n_jobs
            );
            return Err(ApiError::busy(detail, RETRY_AFTER));
        }
        if n_bytes > max_bytes {
            let detail = format!(
                "the trainings and events that wait take {} MiB, which is as much as they may; \
                 look at /jobs for what holds them up, or raise MAX_JOBS_MB",
                self.backlog.n_bytes >> 20
            );
            return Err(ApiError::busy(detail, RETRY_AFTER));
        }
        self.backlog.n_jobs += jobs.len() as u64;
        self.backlog.n_bytes = n_bytes;
        Ok(())
    }

    fn count(&mut self) -> Result<(), JobsError> {
        self.backlog = self.jobs.backlog()?;
        self.counted_at = Some(Instant::now());
        Ok(())
    }
}

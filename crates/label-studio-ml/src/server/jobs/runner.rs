//! The thread that claims jobs, and those that work on them.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    jobs::{Backoff, Beat, Claim, Ending, JobContext, JobId, JobState, Jobs, JobsError, Report},
    server::{
        jobs::{
            error_log::ErrorLog,
            waiters::Waiters,
            work::{self, Work},
        },
        metrics::JobMetrics,
    },
};

/// How long a process may hang before another one takes its jobs.
const LEASE: Duration = Duration::from_secs(30);
/// Longest time between two heartbeats of a job.
const BEAT_EVERY: Duration = Duration::from_secs(10);
/// How often news of jobs are stored, and how often other processes' jobs are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Jobs that end before the history is pruned again.
const PRUNE_EVERY: usize = 64;
/// Between two looks at jobs that would be lost with the process.
const PAUSE: Duration = Duration::from_millis(20);

/// How jobs are run.
#[derive(Debug, Clone)]
pub(crate) struct RunnerOptions {
    /// Jobs that run at once.
    pub(crate) max_running: usize,
    /// Ended jobs that are remembered.
    pub(crate) n_kept: usize,
    pub(crate) metrics: JobMetrics,
}

/// Runs stored jobs until it is dropped.
pub(crate) struct Runner(Arc<Shared>);

struct Shared {
    jobs: Arc<dyn Jobs>,
    waiters: Arc<Waiters>,
    work: Arc<dyn Work>,
    options: RunnerOptions,
    state: Mutex<State>,
    changed: Condvar,
    /// Jobs that run in this process, and one that may be claimed just now.
    n_running: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    running: HashMap<JobId, Running>,
    is_woken: bool,
    /// No new job begins: the process is about to end.
    is_draining: bool,
    is_closed: bool,
    n_ended: usize,
}

/// A job that a thread of this process works on.
struct Running {
    context: JobContext,
    project: String,
    since: Instant,
    last_beat: Instant,
}

impl Runner {
    /// Starts the thread that claims jobs.
    pub(crate) fn start(
        jobs: Arc<dyn Jobs>,
        waiters: Arc<Waiters>,
        work: Arc<dyn Work>,
        options: RunnerOptions,
    ) -> Self {
        let shared = Arc::new(Shared {
            jobs,
            waiters,
            work,
            options,
            state: Mutex::default(),
            changed: Condvar::new(),
            n_running: watch::Sender::new(0),
        });
        let wake = Arc::downgrade(&shared);
        shared.jobs.on_change(Box::new(move || {
            if let Some(shared) = wake.upgrade() {
                shared.wake();
            }
        }));
        let runner = Arc::clone(&shared);
        let spawned = thread::Builder::new()
            .name("jobs".to_owned())
            .spawn(move || runner.run());
        if let Err(error) = spawned {
            tracing::error!("no training will run: cannot start a thread: {error}");
        }
        Self(shared)
    }

    /// Lets the runner know that a job was stored.
    pub(crate) fn wake(&self) {
        self.0.wake();
    }

    /// Tells a job of this process that it should end. Others hear it with their next heartbeat.
    pub(crate) fn cancel(&self, id: JobId) {
        let running = self
            .0
            .state()
            .running
            .get(&id)
            .map(|job| job.context.clone());
        if let Some(context) = running {
            context.cancel();
        }
    }

    /// Returns how long a job of the project has been running in this process.
    pub(crate) fn busy_for(&self, project: &str) -> Option<Duration> {
        let state = self.0.state();
        let job = state.running.values().find(|job| job.project == project)?;
        Some(job.since.elapsed())
    }

    /// Waits until the jobs of this process have ended; jobs that would be lost with it are run
    /// first, others are left to the next process.
    pub(crate) async fn drain(&self) {
        let shared = &self.0;
        shared.state().is_draining = true;
        shared.wake();
        let mut n_running = shared.n_running.subscribe();
        if *n_running.borrow() > 0 {
            tracing::info!(
                n_running = *n_running.borrow(),
                "waiting for trainings to end"
            );
        }
        loop {
            let _ = n_running.wait_for(|n_running| *n_running == 0).await;
            let is_left = !shared.jobs.is_durable()
                && shared
                    .jobs
                    .backlog()
                    .is_ok_and(|backlog| backlog.n_jobs > 0);
            if !is_left {
                return;
            }
            shared.wake();
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_closed = true;
        let contexts: Vec<_> = state
            .running
            .values()
            .map(|job| job.context.clone())
            .collect();
        drop(state);
        self.0.changed.notify_all();
        for context in contexts {
            context.cancel();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.state().is_woken = true;
        self.changed.notify_all();
    }

    fn run(self: Arc<Self>) {
        let mut errors = ErrorLog::default();
        let mut last_look = None::<Instant>;
        loop {
            if last_look.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                last_look = Some(Instant::now());
                errors.note(self.look_after());
            }
            errors.note(self.start_jobs());
            let state = self.state();
            let since = last_look.map_or(LOOK_EVERY, |at| at.elapsed());
            let (mut state, _) = self
                .changed
                .wait_timeout_while(state, LOOK_EVERY.saturating_sub(since), |state| {
                    !state.is_woken && !state.is_closed
                })
                .unwrap_or_else(PoisonError::into_inner);
            state.is_woken = false;
            if state.is_closed {
                return;
            }
        }
    }

    /// Claims jobs while there is a thread for them.
    fn start_jobs(self: &Arc<Self>) -> Result<(), JobsError> {
        while self.may_claim() {
            // Counted before it is claimed, so that the process never looks idle in between.
            self.n_running.send_modify(|n_running| *n_running += 1);
            let claimed = if self.is_held_back() {
                Ok(None)
            } else {
                self.jobs.claim(LEASE)
            };
            match claimed {
                Ok(Some(claim)) => self.start_job(claim),
                nothing => {
                    self.n_running.send_modify(|n_running| *n_running -= 1);
                    return nothing.map(|_| ());
                }
            }
        }
        Ok(())
    }

    fn may_claim(&self) -> bool {
        self.state().running.len() < self.options.max_running
            && !self.is_held_back()
            && self.work.is_ready()
    }

    fn is_held_back(&self) -> bool {
        let state = self.state();
        state.is_closed || (state.is_draining && self.jobs.is_durable())
    }

    fn start_job(self: &Arc<Self>, claim: Claim) {
        let (id, context) = (claim.job.id, JobContext::of_claim(&claim));
        let now = Instant::now();
        let running = Running {
            context: context.clone(),
            project: claim.job.project.clone(),
            since: now,
            last_beat: now,
        };
        self.state().running.insert(id, running);
        let shared = Arc::clone(self);
        let spawned = thread::Builder::new()
            .name(format!("job-{id}"))
            .spawn(move || {
                shared.work_on(&claim, &context);
                shared.has_ended(id);
            });
        if let Err(error) = spawned {
            let reason = format!("cannot start a thread: {error}");
            let after = BEAT_EVERY;
            self.end(id, &Ending::GivenBack { reason, after });
            self.has_ended(id);
        }
    }

    fn work_on(&self, claim: &Claim, context: &JobContext) {
        let (id, job) = (claim.job.id, &claim.job);
        tracing::info!(job = %id, project = job.project, kind = job.kind, attempt = job.attempts, "job started");
        let started = Instant::now();
        self.options.metrics.begin();
        let outcome = self.work.run(claim, context);
        if let Some(news) = context.take_news() {
            self.beat(id, &news, context);
        }
        let ending = work::ending(&outcome, claim, context, self.state().is_closed);
        let state = self.end(id, &ending);
        let took = started.elapsed();
        self.options.metrics.end(state, took);
        work::log_end(id, &outcome, state, took);
        work::tell(&self.waiters, id, outcome, state);
    }

    /// Stores the end of an attempt. Returns the job's state then; `None` when it was not stored.
    fn end(&self, id: JobId, ending: &Ending) -> Option<JobState> {
        self.jobs.end(id, ending).unwrap_or_else(|error| {
            let error = anyhow::Error::from(error);
            tracing::error!(job = %id, "the job will run again, since its end cannot be stored: {error:#}");
            None
        })
    }

    fn has_ended(&self, id: JobId) {
        let must_prune = {
            let mut state = self.state();
            state.running.remove(&id);
            state.n_ended += 1;
            state.n_ended % PRUNE_EVERY == 1
        };
        if must_prune && let Err(error) = self.jobs.prune(self.options.n_kept) {
            let error = anyhow::Error::from(error);
            tracing::warn!("old jobs are not forgotten: {error:#}");
        }
        self.n_running.send_modify(|n_running| *n_running -= 1);
        self.wake();
    }

    /// Beats for the jobs of this process, and takes back those of processes that have died.
    fn look_after(&self) -> Result<(), JobsError> {
        let running: Vec<_> = {
            let state = self.state();
            let jobs = state.running.iter();
            jobs.map(|(id, job)| (*id, job.context.clone(), job.last_beat.elapsed()))
                .collect()
        };
        for (id, context, since) in running {
            let news = context.take_news();
            if news.is_some() || since >= BEAT_EVERY {
                self.beat(id, &news.unwrap_or_default(), &context);
            }
        }
        let n_reaped = self.jobs.reap(Backoff::default())?;
        if n_reaped > 0 {
            tracing::warn!(n_reaped, "took back jobs of processes that have ended");
        }
        Ok(())
    }

    fn beat(&self, id: JobId, report: &Report, context: &JobContext) {
        match self.jobs.beat(id, LEASE, report) {
            Ok(Beat::Held { cancel }) => {
                if let Some(job) = self.state().running.get_mut(&id) {
                    job.last_beat = Instant::now();
                }
                if cancel {
                    context.cancel();
                }
            }
            Ok(Beat::Lost) => {
                tracing::warn!(job = %id, "another process has the job now");
                context.cancel();
            }
            Err(error) => {
                context.give_news_back(report);
                let error = anyhow::Error::from(error);
                tracing::error!(job = %id, "heartbeat not stored: {error:#}");
            }
        }
    }
}

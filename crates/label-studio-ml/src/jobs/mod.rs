//! Trainings as stored jobs: at least once, one at a time per project, in order.
//!
//! A webhook stores a [`NewJob`] before it is answered. A thread claims it, beats while it works on
//! it, and ends it. A process that dies stops to beat, so its jobs are reaped: they wait for their
//! next attempt, or have failed after the last. [`SqliteJobs`] keeps jobs in a file that several
//! processes may share, [`MemoryJobs`] keeps them until the process ends.
//!
//! The rules that all implementations keep, checked by one contract test:
//!
//! - A job that was stored runs, and ends once: the end of a process that lost it is not taken.
//! - At most one job of a project runs at a time, whichever process runs it.
//! - The jobs of a project run in the order in which they were stored. A job that waits for its
//!   next attempt holds up those after it.
//! - A pending job that was never started is replaced by a new one of its project with the same
//!   merge key, and keeps its place.

mod context;
mod error;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod sqlite;
mod worker_name;

use std::time::Duration;

pub use context::{JobContext, TryAgain};
pub use error::JobsError;
pub use memory::MemoryJobs;
#[cfg(feature = "postgres")]
pub use postgres::PostgresJobs;
pub use record::{
    Backlog, Backoff, Beat, Claim, Ending, Job, JobFilter, JobId, JobState, NewJob, Pushed, Report,
};
pub use sqlite::SqliteJobs;

/// Returns why a job ended for which another one does the work.
fn replaced_by(newer: JobId) -> String {
    format!("job {newer} does the same work")
}

/// A queue of jobs, as one process sees it.
///
/// What a process has claimed is its own until its lease ends; [`Jobs::beat`] prolongs it.
pub trait Jobs: Send + Sync + 'static {
    /// Stores jobs, all or none. When it returns, a crash of the machine loses none of them.
    fn push(&self, jobs: &[NewJob]) -> Result<Vec<Pushed>, JobsError>;

    /// Takes the first job that may start now, for as long as `lease`.
    fn claim(&self, lease: Duration) -> Result<Option<Claim>, JobsError>;

    /// Stores news of a job that this process works on, and prolongs its lease to `lease` from now.
    fn beat(&self, id: JobId, lease: Duration, report: &Report) -> Result<Beat, JobsError>;

    /// Ends an attempt. Returns the job's state then; `None` when the job is no longer this
    /// process's, in which case nothing is stored.
    fn end(&self, id: JobId, ending: &Ending) -> Result<Option<JobState>, JobsError>;

    /// Takes back the jobs of processes that have died. Returns how many there were.
    fn reap(&self, backoff: Backoff) -> Result<usize, JobsError>;

    /// Ends a pending job, and asks a running one to end. Returns the job's state then; `None`
    /// when there is no such job. A job that has ended stays as it is.
    fn cancel(&self, id: JobId) -> Result<Option<JobState>, JobsError>;

    /// Makes a job that has ended pending again, with all its attempts. Returns the job that runs
    /// for it: a pending one with the same merge key, if there is one. A job that has not ended
    /// stays as it is; `None` when there is no such job.
    fn retry(&self, id: JobId) -> Result<Option<JobId>, JobsError>;

    /// Lists jobs, newest first.
    fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, JobsError>;

    /// Returns a job.
    fn get(&self, id: JobId) -> Result<Option<Job>, JobsError>;

    /// Returns the last lines that a job logged.
    fn log(&self, id: JobId) -> Result<Option<String>, JobsError>;

    /// Counts the jobs that wait.
    fn backlog(&self) -> Result<Backlog, JobsError>;

    /// Checks whether jobs can be stored and read now.
    fn probe(&self) -> Result<(), JobsError> {
        self.backlog().map(drop)
    }

    /// Forgets the oldest jobs that have ended, all but `n_kept`. Returns how many.
    fn prune(&self, n_kept: usize) -> Result<usize, JobsError>;

    /// Hands over what to call when another process has stored a job or asked for one to end. A
    /// queue that does not hear of that never calls it.
    fn on_change(&self, _wake: Box<dyn Fn() + Send + Sync>) {}

    /// Returns whether pending jobs outlive this process.
    fn is_durable(&self) -> bool;
}

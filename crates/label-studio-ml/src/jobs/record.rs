//! The record of a job, and the smaller records around it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Number of a job. A job that was stored later has a larger number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub i64);

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits for a thread, for an earlier job of its project, or for its next attempt.
    Pending,
    /// A process works on it.
    Running,
    /// It ended with a result.
    Done,
    /// It ended with an error, and is not tried again.
    Failed,
    /// It ended because a user asked for that.
    Cancelled,
}

/// A job to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Project that the job is for. Jobs of one project run one at a time, in order.
    pub project: String,
    /// Kind of work: the action of a training event.
    pub kind: String,
    /// Everything that the work needs, as JSON.
    pub payload: String,
    /// A pending job of the same project with the same key is replaced instead of another one
    /// being stored. `None` keeps every job.
    pub merge_key: Option<String>,
    /// How often the job is started before it counts as failed.
    pub max_attempts: u32,
}

/// The outcome of storing a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// The job, which may have been there before.
    pub id: JobId,
    /// Whether a pending job was replaced.
    pub is_merged: bool,
}

/// A job as it is shown to users. Times are in seconds since 1970, by the database's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Job {
    /// Number of the job.
    pub id: JobId,
    /// Project that the job is for.
    pub project: String,
    /// Kind of work: the action of a training event.
    pub kind: String,
    /// State now.
    pub state: JobState,
    /// How often the job was started.
    pub attempts: u32,
    /// How often the job is started before it counts as failed.
    pub max_attempts: u32,
    /// When the job may start, which an attempt that was cut short puts off.
    pub run_at: f64,
    /// Process that works on the job, or did so last.
    pub worker: Option<String>,
    /// Part of the work that is done, from 0 to 1.
    pub progress: Option<f64>,
    /// What the job is doing now, in the model's words.
    pub message: Option<String>,
    /// Why the job failed, or why its last attempt did.
    pub error: Option<String>,
    /// The value that the model's `fit` returned.
    pub result: Option<Value>,
    /// Whether a user asked for the job to end.
    pub cancel: bool,
    /// When the job was stored.
    pub created_at: f64,
    /// When the last attempt started.
    pub started_at: Option<f64>,
    /// When the job ended for good.
    pub ended_at: Option<f64>,
}

/// A job that the caller has to work on now.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The job, with this attempt counted.
    pub job: Job,
    /// Everything that the work needs, as JSON.
    pub payload: String,
    /// The last lines that earlier attempts logged.
    pub log: String,
}

/// News of a running job, to be stored with the next heartbeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Part of the work that is done, from 0 to 1.
    pub progress: Option<f64>,
    /// What the job is doing now.
    pub message: Option<String>,
    /// The last lines that the job logged; `None` when there is no new one.
    pub log: Option<String>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The job is still the caller's.
    Held {
        /// Whether a user asked for the job to end.
        cancel: bool,
    },
    /// Another process has the job, or it has ended: the caller must stop.
    Lost,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// The work is done; the value is its result.
    Done(Value),
    /// It failed, and trying again would not help.
    Failed(String),
    /// It failed, and is tried again after the given time unless it was the last attempt.
    Retry {
        /// Why the attempt failed.
        error: String,
        /// Time until the next attempt.
        after: Duration,
    },
    /// The job could not be started; the attempt does not count.
    GivenBack {
        /// Why it could not be started.
        reason: String,
        /// Time until it may be claimed again.
        after: Duration,
    },
    /// It ended because a user asked for that.
    Cancelled,
}

/// Which jobs to list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    /// Only jobs of this project.
    pub project: Option<String>,
    /// Only jobs in this state.
    pub state: Option<JobState>,
    /// Only jobs stored before this one: the last of the page before.
    pub before: Option<JobId>,
    /// How many jobs at most.
    pub limit: usize,
}

/// The jobs that wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many jobs wait.
    pub n_jobs: u64,
    /// Size of their payloads together, in bytes.
    pub n_bytes: u64,
}

/// Time until the next attempt after one that was cut short: `first`, doubled for each attempt
/// before, `longest` at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Time after the first attempt.
    pub first: Duration,
    /// Longest time.
    pub longest: Duration,
}

impl JobState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Returns the name of the state on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Returns whether a job in this state never runs again unless a user asks for it.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl NewJob {
    /// Creates a job that merges with no other and is tried three times.
    pub fn new(
        project: impl Into<String>,
        kind: impl Into<String>,
        payload: impl Into<String>,
    ) -> Self {
        Self {
            project: project.into(),
            kind: kind.into(),
            payload: payload.into(),
            merge_key: None,
            max_attempts: 3,
        }
    }

    /// Lets the job replace a pending one of its project with the same key.
    #[must_use]
    pub fn with_merge_key(mut self, key: impl Into<String>) -> Self {
        self.merge_key = Some(key.into());
        self
    }
}

impl Default for JobFilter {
    fn default() -> Self {
        Self {
            project: None,
            state: None,
            before: None,
            limit: 50,
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(600),
        }
    }
}

impl Backoff {
    /// Returns the time until the next attempt after so many.
    pub fn after(&self, attempts: u32) -> Duration {
        let times = 1_u32
            .checked_shl(attempts.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.first
            .checked_mul(times)
            .map_or(self.longest, |time| time.min(self.longest))
    }

    /// Returns the time until the next attempt when the process of this one died: none after the
    /// first attempt, which is seldom the job's fault.
    pub fn after_cut(&self, attempts: u32) -> Duration {
        match attempts {
            0 | 1 => Duration::ZERO,
            attempts => self.after(attempts - 1),
        }
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for JobId {
    /// Writes the number as text, so that clients need not care what an id is made of.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_doubles_the_time_until_the_next() {
        let backoff = Backoff::default();
        let seconds = |attempts| backoff.after(attempts).as_secs();
        assert_eq!([1, 2, 3, 4].map(seconds), [5, 10, 20, 40]);
        assert_eq!([20, 31, 32, u32::MAX].map(seconds), [600; 4]);
    }

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(JobState::parse("PENDING"), None);
    }
}

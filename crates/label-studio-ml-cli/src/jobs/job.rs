//! A job, as the backend answers it.

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::Value;

/// State of a job
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Waits for its turn
    Pending,
    /// Is worked on
    Running,
    /// Ended with a result
    Done,
    /// Ended with an error
    Failed,
    /// Ended because a user asked for that
    Cancelled,
}

/// A job, as far as it is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) kind: String,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) max_attempts: u32,
    pub(super) worker: Option<String>,
    pub(super) progress: Option<f64>,
    pub(super) message: Option<String>,
    pub(super) error: Option<String>,
    pub(super) result: Option<Value>,
    pub(super) cancel: bool,
    pub(super) created_at: f64,
    pub(super) started_at: Option<f64>,
    pub(super) ended_at: Option<f64>,
}

impl State {
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// Checks that a text is the number of a job.
pub(super) fn job_number(job: &str) -> anyhow::Result<&str> {
    job.parse::<i64>()
        .with_context(|| format!("{job:?} is not the number of a job"))?;
    Ok(job)
}

pub(super) fn jobs(page: &Value) -> anyhow::Result<Vec<Job>> {
    read(page["jobs"].clone())
}

pub(super) fn read<T: serde::de::DeserializeOwned>(json: Value) -> anyhow::Result<T> {
    serde_json::from_value(json).context("the backend does not answer with jobs; is it current?")
}

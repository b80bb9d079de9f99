//! The work that jobs stand for, and what becomes of a job when it ends.

use std::{borrow::Cow, time::Duration};

use serde_json::Value;

use crate::{
    jobs::{Backoff, Claim, Ending, JobContext, JobId, JobState},
    server::{http::errors::ApiError, jobs::waiters::Waiters},
};

/// The work that jobs stand for.
pub(crate) trait Work: Send + Sync + 'static {
    /// Returns whether work can begin: the model is loaded.
    fn is_ready(&self) -> bool;

    /// Does the work of a job. Blocks; a panic is caught.
    fn run(&self, claim: &Claim, context: &JobContext) -> Result<Value, WorkError>;
}

/// Why the work of a job was not done.
pub(crate) struct WorkError {
    /// What went wrong, for a caller that still waits.
    pub(crate) error: ApiError,
    /// Whether trying again may help.
    pub(crate) remedy: Remedy,
}

/// What to do with a job that failed.
pub(crate) enum Remedy {
    /// Nothing: it would fail again.
    None,
    /// Try again later, as one more attempt.
    TryAgain,
    /// Try again as after a crash, as one more attempt: the model's process ended.
    StartAgain,
    /// Try again after this time: it could not even begin.
    Wait(Duration),
}

/// Returns how an attempt ended; `is_closed` says whether the process is about to end.
pub(super) fn ending(
    outcome: &Result<Value, WorkError>,
    claim: &Claim,
    context: &JobContext,
    is_closed: bool,
) -> Ending {
    let has_noticed_cancel = context.has_noticed_cancel();
    match outcome {
        // It was told to end because the process does, not because a user asked for that.
        _ if is_closed && (has_noticed_cancel || outcome.is_err()) => Ending::GivenBack {
            reason: "the server ended".to_owned(),
            after: Duration::ZERO,
        },
        _ if has_noticed_cancel => Ending::Cancelled,
        Ok(value) => Ending::Done(value.clone()),
        // It was trained, but what it returned cannot be kept.
        Err(failure) if failure.error.status().is_success() => Ending::Done(Value::Null),
        Err(WorkError { error, remedy }) => {
            let text = error.detail().to_owned();
            match remedy {
                Remedy::None => Ending::Failed(text),
                Remedy::TryAgain => Ending::Retry {
                    error: text,
                    after: Backoff::default().after(claim.job.attempts),
                },
                Remedy::StartAgain => Ending::Retry {
                    error: text,
                    after: Backoff::default().after_cut(claim.job.attempts),
                },
                Remedy::Wait(after) => Ending::GivenBack {
                    reason: text,
                    after: *after,
                },
            }
        }
    }
}

/// Logs how an attempt ended; the job's state is `None` when that was not stored.
pub(super) fn log_end(
    id: JobId,
    outcome: &Result<Value, WorkError>,
    state: Option<JobState>,
    took: Duration,
) {
    match (outcome, state) {
        (Err(failure), Some(JobState::Done)) => tracing::warn!(
            job = %id,
            ?took,
            "job ended; its result is not kept: {}",
            failure.error.detail()
        ),
        (Err(failure), Some(_)) => tracing::error!(
            job = %id,
            status = failure.error.status().as_u16(),
            ?took,
            "job failed: {}",
            failure.error.detail()
        ),
        (Ok(value), Some(JobState::Done)) => {
            tracing::info!(job = %id, ?took, "{}", words_for(value));
        }
        (_, Some(state)) => tracing::info!(job = %id, ?took, "job ended: {state}"),
        (_, None) => tracing::warn!(job = %id, "the end of the job was not stored"),
    }
}

/// Returns how a job ended, by what the model's `fit` returned: a training that the model declined
/// is not one that was done.
fn words_for(value: &Value) -> Cow<'_, str> {
    let is_empty = match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    };
    match value["skipped"].as_str() {
        Some(reason) => format!("nothing was trained: {reason}").into(),
        None if is_empty => "the model returned nothing for the event".into(),
        None => "job ended: done".into(),
    }
}

/// Tells the caller that waits for a job how an attempt ended.
pub(super) fn tell(
    waiters: &Waiters,
    id: JobId,
    outcome: Result<Value, WorkError>,
    state: Option<JobState>,
) {
    match (state, outcome) {
        (Some(JobState::Done | JobState::Failed), outcome) => {
            waiters.tell(id, outcome.map_err(|failure| failure.error));
        }
        (Some(JobState::Cancelled) | None, _) => waiters.forget(id),
        (Some(_), Err(failure))
            if matches!(failure.remedy, Remedy::TryAgain | Remedy::StartAgain) =>
        {
            let error = &failure.error;
            let detail = format!("{} (job {id} is tried again)", error.detail());
            waiters.tell(id, Err(ApiError::new(error.status(), detail)));
        }
        // It could not begin yet.
        (Some(_), _) => {}
    }
}

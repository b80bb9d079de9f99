use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use crate::{
    jobs::{Job, JobFilter, JobId, JobState, Jobs, JobsError},
    server::{backend::SharedBackend, calls::executor::run_blocking, http::errors::ApiError},
};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

#[derive(Deserialize)]
pub(crate) struct ListQuery {
    project: Option<String>,
    state: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(crate) struct ListReply {
    jobs: Vec<Job>,
    /// What `before` has to be for the next page; null on the last one.
    next: Option<JobId>,
}

#[derive(Serialize)]
pub(crate) struct LogReply {
    id: JobId,
    log: String,
}

/// Lists jobs, newest first.
pub(crate) async fn list(
    State(backend): State<SharedBackend>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ListReply>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let mut filter = query.into_filter()?;
    // One more than asked for shows whether there is a next page.
    filter.limit = limit + 1;
    let mut jobs = with_jobs(&backend, move |jobs| jobs.list(&filter)).await?;
    let has_next = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().map(|job| job.id).filter(|_| has_next);
    Ok(Json(ListReply { jobs, next }))
}

/// Shows a job.
pub(crate) async fn show(
    State(backend): State<SharedBackend>,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    let id = job_id(&id)?;
    let job = with_jobs(&backend, move |jobs| jobs.get(id)).await?;
    Ok(Json(job.ok_or_else(|| unknown(id))?))
}

/// Shows the last lines that a job logged.
pub(crate) async fn log(
    State(backend): State<SharedBackend>,
    Path(id): Path<String>,
) -> Result<Json<LogReply>, ApiError> {
    let id = job_id(&id)?;
    let log = with_jobs(&backend, move |jobs| jobs.log(id)).await?;
    let log = log.ok_or_else(|| unknown(id))?;
    Ok(Json(LogReply { id, log }))
}

/// Ends a job.
pub(crate) async fn cancel(
    State(backend): State<SharedBackend>,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    let id = job_id(&id)?;
    let before = with_jobs(&backend, move |jobs| jobs.get(id)).await?;
    let state = before.ok_or_else(|| unknown(id))?.state;
    if state.has_ended() && state != JobState::Cancelled {
        return Err(conflict(format!("job {id} has ended already: {state}")));
    }
    with_jobs(&backend, move |jobs| jobs.cancel(id)).await?;
    backend.training.runner.cancel(id);
    show(State(backend), Path(id.to_string())).await
}

/// Runs a job again that has ended.
pub(crate) async fn retry(
    State(backend): State<SharedBackend>,
    Path(id): Path<String>,
) -> Result<Json<Job>, ApiError> {
    let id = job_id(&id)?;
    let before = with_jobs(&backend, move |jobs| jobs.get(id)).await?;
    let state = before.ok_or_else(|| unknown(id))?.state;
    if !state.has_ended() {
        return Err(conflict(format!("job {id} has not ended: {state}")));
    }
    let again = with_jobs(&backend, move |jobs| jobs.retry(id)).await?;
    let again = again.ok_or_else(|| unknown(id))?;
    backend.training.runner.wake();
    show(State(backend), Path(again.to_string())).await
}

impl ListQuery {
    fn into_filter(self) -> Result<JobFilter, ApiError> {
        let state = match self.state.as_deref() {
            None | Some("") => None,
            Some(name) => Some(JobState::parse(name).ok_or_else(|| {
                let names = JobState::ALL.map(JobState::as_str).join(", ");
                ApiError::bad_request(format!("state {name:?} is none of {names}"))
            })?),
        };
        let before = self.before.filter(|text| !text.is_empty());
        Ok(JobFilter {
            project: self.project.filter(|text| !text.is_empty()),
            state,
            before: before.as_deref().map(job_id).transpose()?,
            ..JobFilter::default()
        })
    }
}

fn job_id(text: &str) -> Result<JobId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::bad_request(format!("{text:?} is not the number of a job")))
}

fn unknown(id: JobId) -> ApiError {
    let detail = format!("there is no job {id}; GET /jobs lists those that are remembered");
    ApiError::new(StatusCode::NOT_FOUND, detail)
}

fn conflict(detail: String) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, detail)
}

/// Uses the queue on a blocking thread.
async fn with_jobs<T: Send + 'static>(
    backend: &SharedBackend,
    run: impl FnOnce(&dyn Jobs) -> Result<T, JobsError> + Send + 'static,
) -> Result<T, ApiError> {
    let jobs = Arc::clone(&backend.training.jobs);
    run_blocking(move || run(&*jobs).map_err(|error| ApiError::model(&error.into()))).await
}

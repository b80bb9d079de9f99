//! Training events: stored as jobs before they are answered, and run apart from their callers.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::{
    jobs::{JobId, Jobs, NewJob},
    model::{Action, Event, FitOn},
    project::Project,
    raw::model::Readiness,
    server::{
        calls::served_model::ServedModel,
        http::errors::ApiError,
        jobs::{
            fit::Fit,
            intake::{Intake, JobLimits},
            runner::{Runner, RunnerOptions},
            waiters::Waiters,
        },
    },
};

/// Label Studio gives an event webhook one second, so an answer that takes longer than half of it is
/// not waited for.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
/// `Retry-After` while the model cannot be loaded, in seconds.
const RETRY_AFTER: u32 = 5;
/// Payloads that wait in memory, when they are stored nowhere else.
const MAX_BYTES_IN_MEMORY: u64 = 64 << 20;

/// Trainings as stored jobs.
pub(crate) struct Training {
    pub(crate) jobs: Arc<dyn Jobs>,
    pub(crate) runner: Arc<Runner>,
    intake: Intake,
    served: ServedModel,
    max_attempts: u32,
}

/// How trainings are run and bounded.
#[derive(Debug, Clone)]
pub(crate) struct TrainingOptions {
    pub(crate) limits: JobLimits,
    pub(crate) runner: RunnerOptions,
    /// How often a job is started before it counts as failed.
    pub(crate) max_attempts: u32,
}

/// How far a training got while its caller waited.
pub(crate) enum Progress {
    /// It ended; the value is what the model's `fit` returned.
    Ended(Value),
    /// It goes on, or waits, as this job.
    GoesOn(JobId),
}

impl Training {
    /// Starts to run stored jobs, once the model is loaded.
    pub(crate) fn new(jobs: Arc<dyn Jobs>, fit: Fit, options: TrainingOptions) -> Self {
        let TrainingOptions {
            mut limits,
            runner,
            max_attempts,
        } = options;
        if !jobs.is_durable() {
            limits.max_bytes = limits.max_bytes.min(MAX_BYTES_IN_MEMORY);
        }
        let (served, waiters) = (fit.served.clone(), Arc::new(Waiters::default()));
        let runner = Arc::new(Runner::start(
            Arc::clone(&jobs),
            Arc::clone(&waiters),
            Arc::new(fit),
            runner,
        ));
        let wake = Arc::downgrade(&runner);
        let intake = Intake::start(Arc::clone(&jobs), waiters, limits, move || {
            if let Some(runner) = wake.upgrade() {
                runner.wake();
            }
        });
        Self {
            jobs,
            runner,
            intake,
            served,
            max_attempts,
        }
    }

    /// Stores a training for each event, in order, and waits half a second for the last one, unless
    /// it is clear that it takes longer. They run to their end whatever their caller does.
    pub(crate) async fn start_all(
        &self,
        project: &Project,
        events: Vec<Event>,
    ) -> Result<Progress, ApiError> {
        let answer_at = Instant::now() + ANSWER_WITHIN;
        if events.is_empty() {
            return Ok(Progress::Ended(Value::Null));
        }
        if let Readiness::Failed(reason) = self.served.readiness() {
            let detail = format!("the model could not be loaded: {reason}");
            return Err(ApiError::busy(detail, RETRY_AFTER));
        }
        let (id, fit_on) = (project.id().as_str(), self.fit_on());
        let new_job = |event: Event| NewJob {
            merge_key: merge_key(&event, project.label_config().text(), fit_on),
            max_attempts: self.max_attempts,
            ..NewJob::new(id, event.action.as_str(), event.payload.to_string())
        };
        let jobs = events.into_iter().map(new_job).collect();
        let is_late = self.runner.busy_for(id) >= Some(ANSWER_WITHIN);
        let stored = self.intake.store(jobs).await?;
        let job = stored.last.id;
        tracing::info!(%job, project = id, merged = stored.last.is_merged, "event stored");
        if is_late {
            return Ok(Progress::GoesOn(job));
        }
        match timeout_at(answer_at, stored.ended).await {
            Ok(Ok(outcome)) => outcome.map(Progress::Ended),
            // It merged with another, was cancelled, or takes its time.
            Ok(Err(_)) | Err(_) => Ok(Progress::GoesOn(job)),
        }
    }

    /// Waits until the trainings that run have ended.
    pub(crate) async fn drain(&self) {
        self.runner.drain().await;
    }

    fn fit_on(&self) -> FitOn {
        match self.served.slot.peek() {
            Some(Ok(model)) => model.fit_on(),
            Some(Err(_)) | None => FitOn::EveryEvent,
        }
    }
}

/// Returns by what an event is equal to another that waits; `None` for one that is equal to none.
fn merge_key(event: &Event, label_config: &str, fit_on: FitOn) -> Option<String> {
    match (event.action, fit_on) {
        (Action::StartTraining, _) => {
            let mut hasher = DefaultHasher::new();
            label_config.hash(&mut hasher);
            Some(format!("train {:016x}", hasher.finish()))
        }
        (_, FitOn::EveryEvent) => None,
        (_, FitOn::LatestPerAnnotation) => {
            let id = annotation_id(&event.payload)?;
            Some(format!("annotation {id}"))
        }
    }
}

/// Returns the id of the one annotation that an event is about.
fn annotation_id(payload: &Value) -> Option<&Value> {
    let annotation = match payload["annotations"].as_array().map(Vec::as_slice) {
        Some([annotation]) => annotation,
        Some(_) => return None,
        None => &payload["annotation"],
    };
    let id = annotation.get("id").unwrap_or(annotation);
    (id.is_number() || id.is_string()).then_some(id)
}

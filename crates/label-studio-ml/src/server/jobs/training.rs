//! Training, apart from the connection that asked for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    task::JoinHandle,
};

use crate::{
    model::{Action, Event},
    project_id::ProjectId,
    server::{
        calls::{executor::run_blocking, model_slot::ModelSlot, projects::SeenProject},
        http::errors::ApiError,
    },
};

/// Label Studio gives an event webhook one second, so an answer that takes longer than half of it
/// is not waited for.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

type Turn = Arc<AsyncMutex<()>>;

/// Trainings: one at a time per project, in the order of their events.
pub(crate) struct Training {
    model: Arc<ModelSlot>,
    turns: Mutex<HashMap<ProjectId, Weak<AsyncMutex<()>>>>,
    /// Requests to train that wait for their turn, at most one per project.
    waiting: Mutex<HashMap<ProjectId, Waiting>>,
    n_running: watch::Sender<usize>,
}

/// A request to train that waits for its turn.
struct Waiting {
    project: Arc<SeenProject>,
    job: String,
}

/// Counts one training until it is dropped.
struct Running(Arc<Training>);

impl Running {
    fn enter(training: &Arc<Training>) -> Self {
        training.n_running.send_modify(|n_running| *n_running += 1);
        Self(Arc::clone(training))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.n_running.send_modify(|n_running| *n_running -= 1);
    }
}

/// A training that was started.
enum Started {
    /// It waits already, under this name.
    Waits(String),
    Begun(String, JoinHandle<Result<Value, ApiError>>),
}

/// How far a training got while its caller waited.
pub(crate) enum Progress {
    /// It ended; the value is what the model's `fit` returned.
    Ended(Value),
    /// It goes on under this name.
    GoesOn(String),
}

impl Training {
    /// Creates trainings of the model in its slot.
    pub(crate) fn new(model: Arc<ModelSlot>) -> Self {
        Self {
            model,
            turns: Mutex::default(),
            waiting: Mutex::default(),
            n_running: watch::Sender::new(0),
        }
    }

    /// Starts a training for each event, in order, and waits half a second for the last one. They
    /// run to their end whatever their caller does.
    pub(crate) async fn start_all(
        self: &Arc<Self>,
        project: &Arc<SeenProject>,
        events: Vec<Event>,
    ) -> Result<Progress, ApiError> {
        let mut last = None;
        for event in events {
            last = Some(self.start(project, event));
        }
        match last {
            Some(Started::Waits(job)) => Ok(Progress::GoesOn(job)),
            Some(Started::Begun(job, task)) => {
                match tokio::time::timeout(ANSWER_WITHIN, task).await {
                    Ok(Ok(result)) => result.map(Progress::Ended),
                    Ok(Err(error)) => Err(ApiError::model(&error.into())),
                    Err(_) => Ok(Progress::GoesOn(job)),
                }
            }
            None => Ok(Progress::Ended(Value::Null)),
        }
    }

    /// Starts a training. A request to train becomes one with another that still waits: what it
    /// would learn from is the same.
    fn start(self: &Arc<Self>, project: &Arc<SeenProject>, event: Event) -> Started {
        let job = uuid();
        if event.action == Action::StartTraining
            && let Some(job) = self.wait(project, &job)
        {
            tracing::info!(job, project = %project.project.id(), "training waits already");
            return Started::Waits(job);
        }
        let turn = self.turn(project.project.id());
        let running = Running::enter(self);
        tracing::info!(job, project = %project.project.id(), event = event.action.as_str(), "training taken");
        let task = tokio::spawn({
            let (training, job) = (Arc::clone(self), job.clone());
            let project = Arc::clone(project);
            async move {
                let _running = running;
                let _turn = turn.lock().await;
                training.begin(project.project.id(), &job);
                let result = training.fit(project, event).await;
                report(&job, &result);
                result
            }
        });
        Started::Begun(job, task)
    }

    /// Waits until every training that has been started has ended.
    pub(crate) async fn drain(&self) {
        let mut n_running = self.n_running.subscribe();
        if *n_running.borrow() > 0 {
            tracing::info!(
                n_running = *n_running.borrow(),
                "waiting for trainings to end"
            );
        }
        let _ = n_running.wait_for(|n_running| *n_running == 0).await;
    }

    /// Notes that a request to train waits. Returns the job of one that does so already.
    fn wait(&self, project: &Arc<SeenProject>, job: &str) -> Option<String> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let id = project.project.id();
        if let Some(known) = waiting.get(id)
            && Arc::ptr_eq(&known.project, project)
        {
            return Some(known.job.clone());
        }
        let (project, job) = (Arc::clone(project), job.to_owned());
        waiting.insert(id.clone(), Waiting { project, job });
        None
    }

    /// Notes that a training waits no more.
    fn begin(&self, project: &ProjectId, job: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(project).is_some_and(|known| known.job == job) {
            waiting.remove(project);
        }
    }

    fn turn(&self, project: &ProjectId) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(project).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Turn::default();
        turns.insert(project.clone(), Arc::downgrade(&turn));
        turn
    }

    async fn fit(&self, project: Arc<SeenProject>, event: Event) -> Result<Value, ApiError> {
        let model = self.model.model().await?;
        let run = move || {
            project.set_up(&*model)?;
            model.fit(&project.project, &event)
        };
        run_blocking(move || run().map_err(|error| ApiError::model(&error))).await
    }
}

fn report(job: &str, result: &Result<Value, ApiError>) {
    match result {
        Ok(_) => tracing::info!(job, "training ended"),
        Err(error) => tracing::error!(
            job,
            status = error.status().as_u16(),
            "training failed: {}",
            error.detail()
        ),
    }
}

fn uuid() -> String {
    label_studio_sdk::Region::default()
        .with_new_id()
        .id
        .unwrap_or_default()
}

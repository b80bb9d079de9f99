//! Requests that wait for others of their project, to share a call of the model with them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::sync::{Notify, oneshot};

use crate::{
    model::{Model, PredictRequest},
    predictions::Predictions,
    project_id::ProjectId,
    server::{
        calls::{chunks::PredictCall, executor::catch_panic, projects::SeenProject},
        http::errors::ApiError,
    },
};

/// The batch of each project that takes requests.
#[derive(Default)]
pub(crate) struct Batches(Mutex<HashMap<ProjectId, Arc<Batch>>>);

/// Requests that are answered by one call.
pub(crate) struct Batch {
    pub(crate) project: Arc<SeenProject>,
    params: Map<String, Value>,
    members: Mutex<Members>,
    is_full: Notify,
}

#[derive(Default)]
struct Members {
    all: Vec<Member>,
    n_tasks: usize,
}

/// A request of a batch.
struct Member {
    request: PredictRequest,
    finish: Finish,
    answer: oneshot::Sender<Answer>,
}

/// Makes the answer of a request from its predictions and their model version.
pub(crate) type Finish =
    Box<dyn FnOnce(Predictions, &PredictRequest, &str) -> Answer + Send + 'static>;

/// The answer of a request.
pub(crate) type Answer = Result<Written, ApiError>;

/// An answer as JSON.
pub(crate) struct Written {
    pub(crate) json: Vec<u8>,
    pub(crate) n_regions: usize,
}

/// A place in a batch.
pub(crate) struct Joined {
    /// Hears the answer.
    pub(crate) answer: oneshot::Receiver<Answer>,
    /// A batch that is new: the caller has to see to its being answered.
    pub(crate) new_batch: Option<Arc<Batch>>,
}

impl Batches {
    /// Adds a request to the project's batch, or to a new one if it does not fit.
    pub(crate) fn join(
        &self,
        project: &Arc<SeenProject>,
        request: PredictRequest,
        max_tasks: usize,
        finish: Finish,
    ) -> Joined {
        let (sender, answer) = oneshot::channel();
        let n_tasks = request.tasks.len();
        let mut open = self.open();
        let fits = |batch: &&Arc<Batch>| {
            Arc::ptr_eq(&batch.project, project)
                && batch.params == request.params
                && batch.members().n_tasks + n_tasks <= max_tasks
        };
        let id = project.project.id();
        let found = open.get(id).filter(fits).map(Arc::clone);
        let is_new = found.is_none();
        let batch = found.unwrap_or_else(|| {
            let batch = Arc::new(Batch {
                project: Arc::clone(project),
                params: request.params.clone(),
                members: Mutex::default(),
                is_full: Notify::new(),
            });
            if let Some(other) = open.insert(id.clone(), Arc::clone(&batch)) {
                other.is_full.notify_one();
            }
            batch
        });
        let is_full = {
            let mut members = batch.members();
            members.n_tasks += n_tasks;
            members.all.push(Member {
                request,
                finish,
                answer: sender,
            });
            members.n_tasks >= max_tasks
        };
        if is_full {
            open.remove(id);
            batch.is_full.notify_one();
        }
        Joined {
            answer,
            new_batch: is_new.then_some(batch),
        }
    }

    /// Answers a batch with one call, or with one for each request if that fails. It takes no more
    /// requests from now on.
    pub(crate) fn answer(&self, batch: &Arc<Batch>, model: &dyn Model, max_tasks: usize) {
        let mut members = self.close(batch);
        // A client that has hung up needs no answer.
        members.retain(|member| !member.answer.is_closed());
        let merged = match members.as_slice() {
            [] | [_] => None,
            several => predict_merged(batch, model, several),
        };
        let mut merged = merged.map(|(predictions, version)| (predictions.tasks, version));
        for member in members {
            let own = match &mut merged {
                Some((tasks, version)) => {
                    let n_own = member.request.tasks.len().min(tasks.len());
                    let own = tasks.drain(..n_own).collect::<Vec<_>>();
                    Ok((Predictions { tasks: own }, version.clone()))
                }
                None => predict_alone(batch, model, &member.request, max_tasks),
            };
            let answer = own.and_then(|(predictions, version)| {
                (member.finish)(predictions, &member.request, &version)
            });
            // The caller may have left.
            let _ = member.answer.send(answer);
        }
    }

    /// Answers a batch that could not be predicted.
    pub(crate) fn fail(&self, batch: &Arc<Batch>, error: &ApiError) {
        for member in self.close(batch) {
            let _ = member.answer.send(Err(error.duplicate()));
        }
    }

    fn close(&self, batch: &Arc<Batch>) -> Vec<Member> {
        let mut open = self.open();
        let id = batch.project.project.id();
        if open.get(id).is_some_and(|other| Arc::ptr_eq(other, batch)) {
            open.remove(id);
        }
        std::mem::take(&mut batch.members().all)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<ProjectId, Arc<Batch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    /// Waits until the batch is full, or for so long.
    pub(crate) async fn gather(&self, max_wait: Duration) {
        // Either is the end of waiting.
        let _ = tokio::time::timeout(max_wait, self.is_full.notified()).await;
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Predicts all requests in one call; `None` when that fails, or when there is no prediction at all.
fn predict_merged(
    batch: &Batch,
    model: &dyn Model,
    members: &[Member],
) -> Option<(Predictions, String)> {
    let tasks: Vec<_> = members
        .iter()
        .flat_map(|member| member.request.tasks.iter().cloned())
        .collect();
    let project = batch.project.project.for_call();
    let call = PredictCall {
        model,
        project: &project,
        request: &members[0].request,
    };
    let predicted = call
        .predict_tasks(&tasks)
        .and_then(|predictions| Ok((predictions, project.predicted_version()?)));
    match predicted {
        Ok(predicted) => Some(predicted),
        Err(error) => {
            let n_requests = members.len();
            tracing::debug!(n_requests, "a merged call failed: {error:#}");
            None
        }
    }
}

fn predict_alone(
    batch: &Batch,
    model: &dyn Model,
    request: &PredictRequest,
    max_tasks: usize,
) -> Result<(Predictions, String), ApiError> {
    let project = batch.project.project.for_call();
    let call = PredictCall {
        model,
        project: &project,
        request,
    };
    let predict = || {
        let predictions = call.predict(max_tasks)?;
        Ok((predictions, project.predicted_version()?))
    };
    catch_panic(predict).map_err(|error| ApiError::model(&error))
}

use std::{
    borrow::Cow,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use axum::{
    extract::{Request, State},
    response::Response,
};
use label_studio_sdk::{Prediction, RawTasks};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    batching::Batching,
    jobs::JobContext,
    model::PredictRequest,
    predictions::{Predictions, TaskPrediction},
    server::{
        backend::{Answered, Call, SharedBackend},
        calls::{
            batches::{Batch, Finish, Written},
            chunks::PredictCall,
            permits::Priority,
            projects::SeenProject,
        },
        http::{
            body::{RawBody, SMALL},
            errors::ApiError,
            label_studio_version::loses_batches,
            object_body::ObjectBody,
            routes::predict_raw::predict_raw,
            wire::{NO_PROJECT, WireProject},
        },
        logging::predictions::{Predicted, Regions},
    },
};

/// `Retry-After` of a request whose batch was given up, in seconds.
const RETRY_AFTER: u32 = 1;

#[derive(Deserialize)]
struct PredictBody<'a> {
    #[serde(borrow, default)]
    tasks: RawTasks<'a>,
    project: Option<WireProject>,
    #[serde(borrow)]
    label_config: Option<Cow<'a, str>>,
    params: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct PredictReply {
    results: Predictions,
}

/// The parsed body.
struct ReadBody {
    project: String,
    label_config: Option<String>,
    request: PredictRequest,
}

/// A request, for the log.
struct Asked {
    project: Arc<SeenProject>,
    n_tasks: usize,
    started: Instant,
}

/// The client that waits for an answer. When it hangs up, the request is dropped with this, and a
/// model that asks ends its call.
#[derive(Default)]
struct Caller {
    job: JobContext,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

/// Predicts labels.
pub(crate) async fn predict(
    State(backend): State<SharedBackend>,
    request: Request,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    let loses_batches = loses_batches(request.headers());
    let body = backend.bodies.read(request).await?;
    if let Some(raw) = backend.served.raw.clone() {
        return predict_raw(backend, raw, body).await;
    }
    let RawBody { bytes, memory } = body;
    let is_small = bytes.len() <= SMALL;
    let ReadBody {
        project,
        label_config,
        request,
    } = if is_small {
        read(&bytes)?
    } else {
        let reading = tokio::task::spawn_blocking(move || read(&bytes));
        reading
            .await
            .map_err(|error| ApiError::model(&error.into()))??
    };
    let n_tasks = request.tasks.len();
    backend.metrics.record_tasks(n_tasks);
    let label_config = label_config.map(Cow::Owned);
    let project = backend.projects.get(&project, label_config).await?;
    let asked = Asked {
        project: Arc::clone(&project),
        n_tasks,
        started,
    };
    let batching = backend.batching();
    if batching.merges() && request.context.is_none() && n_tasks > 0 {
        let finish: Finish = Box::new(move |predictions, request, version| {
            let _memory = memory;
            finish(predictions, request, version, loses_batches)
        });
        let written = predict_together(&backend, &project, request, finish).await?;
        return asked.answer(&backend, written, ()).await;
    }
    let call = Call {
        project,
        is_small,
        priority: Priority::of(request.is_interactive()),
    };
    let caller = Caller::default();
    let job = caller.job.clone();
    let answered = backend
        .call(call, move |model, project| {
            let _memory = memory;
            let project = &project.project.with_job(job);
            let call = PredictCall {
                model,
                project,
                request: &request,
            };
            let predictions = call
                .predict(batching.max_tasks)
                .map_err(|error| ApiError::model(&error))?;
            finish(
                predictions,
                &request,
                &project.predicted_version()?,
                loses_batches,
            )
        })
        .await?;
    let Answered { value, permits } = answered;
    asked.answer(&backend, value, permits).await
}

/// Predicts a request in one call with others of its project that come soon.
async fn predict_together(
    backend: &SharedBackend,
    project: &Arc<SeenProject>,
    request: PredictRequest,
    finish: Finish,
) -> Result<Written, ApiError> {
    let batching = backend.batching();
    let joined = backend
        .batches
        .join(project, request, batching.max_tasks, finish);
    if let Some(batch) = joined.new_batch {
        // It goes on when the caller of this request hangs up.
        tokio::spawn(answer_batch(Arc::clone(backend), batch, batching));
    }
    let answer = async {
        let gone = |_| ApiError::busy("the server is ending", RETRY_AFTER);
        joined.answer.await.map_err(gone)?
    };
    backend.within_timeout(&AtomicBool::new(true), answer).await
}

async fn answer_batch(backend: SharedBackend, batch: Arc<Batch>, batching: Batching) {
    batch.gather(batching.max_wait).await;
    let call = Call {
        project: Arc::clone(&batch.project),
        is_small: false,
        priority: Priority::Batch,
    };
    let (shared, own) = (Arc::clone(&backend), Arc::clone(&batch));
    let called = backend
        .call(call, move |model, _| {
            shared.batches.answer(&own, model, batching.max_tasks);
            Ok(())
        })
        .await;
    if let Err(error) = called {
        backend.batches.fail(&batch, &error);
    }
}

/// Makes the answer of a request from its predictions.
fn finish(
    predictions: Predictions,
    request: &PredictRequest,
    version: &str,
    loses_batches: bool,
) -> Result<Written, ApiError> {
    let mut predictions = checked(predictions, request)?;
    if loses_batches {
        predictions = predictions.with_one_result_each();
    }
    let results = predictions.stamped(version);
    let n_regions = results.n_regions();
    let json = serde_json::to_vec(&PredictReply { results })
        .map_err(|error| ApiError::model(&error.into()))?;
    Ok(Written { json, n_regions })
}

impl Asked {
    /// Logs the prediction and sends the answer, which may hold the call's permits.
    async fn answer(
        &self,
        backend: &SharedBackend,
        written: Written,
        permits: impl Send,
    ) -> Result<Response, ApiError> {
        backend.prediction_log.record(&Predicted {
            project: self.project.project.id(),
            n_tasks: self.n_tasks,
            regions: Regions::Counted(written.n_regions),
            took: self.started.elapsed(),
        });
        backend.bodies.answer(written.json, permits).await
    }
}

fn read(bytes: &bytes::Bytes) -> Result<ReadBody, ApiError> {
    let text = ObjectBody::new(bytes);
    let body: PredictBody<'_> = text.parse()?;
    let mut params = body.params.unwrap_or_default();
    let context = params
        .remove("context")
        .filter(|context| !context.is_null());
    Ok(ReadBody {
        project: body
            .project
            .map_or_else(|| NO_PROJECT.to_owned(), WireProject::into_text),
        label_config: body.label_config.map(Cow::into_owned),
        request: PredictRequest {
            tasks: body.tasks.into_tasks(text.source()),
            context,
            params,
        },
    })
}

/// Label Studio matches predictions to tasks by position, so an answer of another length is an
/// error of the model.
fn checked(
    mut predictions: Predictions,
    request: &PredictRequest,
) -> Result<Predictions, ApiError> {
    let (n_predictions, n_tasks) = (predictions.tasks.len(), request.tasks.len());
    if n_predictions != 0 && n_predictions != n_tasks {
        let detail =
            format!("the model answered with {n_predictions} predictions for {n_tasks} tasks");
        return Err(ApiError::model(&anyhow::Error::msg(detail)));
    }
    let failure = |task: &TaskPrediction| match task {
        TaskPrediction::Failed(detail) => Some(detail.clone()),
        TaskPrediction::One(_) | TaskPrediction::Unscored(_) | TaskPrediction::Several(_) => None,
    };
    for (task, prediction) in request.tasks.iter().zip(&predictions.tasks) {
        if let Some(detail) = failure(prediction) {
            tracing::error!(task = task.id, detail, "task not predicted");
        }
    }
    match predictions.tasks.as_mut_slice() {
        // With one task there are no other predictions to keep.
        [TaskPrediction::Failed(detail)] => {
            return Err(ApiError::model(&anyhow::Error::msg(std::mem::take(detail))));
        }
        // The labelling screen shows the result of an object; of a list it shows nothing.
        [task @ TaskPrediction::Several(_)] if request.context.is_some() => {
            if let TaskPrediction::Several(several) = task {
                let first = several.drain(..).next();
                *task =
                    TaskPrediction::One(first.unwrap_or_else(|| Prediction::new([] as [Value; 0])));
            }
        }
        _ => {}
    }
    Ok(predictions)
}

use std::{borrow::Cow, sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    response::Response,
};
use label_studio_sdk::{Prediction, RawTasks};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    model::PredictRequest,
    predictions::{Predictions, TaskPrediction},
    server::{
        backend::{Call, SharedBackend},
        calls::permits::Priority,
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
    let label_config = label_config.map(Cow::Owned);
    let project = backend.projects.get(&project, label_config).await?;
    let call = Call {
        project: Arc::clone(&project),
        is_small,
        priority: Priority::of(request.is_interactive()),
    };
    let answered = backend
        .call(call, move |model, project| {
            let _memory = memory;
            let project = &project.project.for_call();
            let predictions = model
                .predict(project, &request)
                .map_err(|error| ApiError::model(&error))?;
            let mut predictions = checked(predictions, &request)?;
            if loses_batches {
                predictions = predictions.with_one_result_each();
            }
            let results = predictions.stamped(&project.predicted_version()?);
            let n_regions = results.n_regions();
            let json = serde_json::to_vec(&PredictReply { results })
                .map_err(|error| ApiError::model(&error.into()))?;
            Ok((json, n_regions))
        })
        .await?;
    let (json, n_regions) = answered.value;
    backend.prediction_log.record(&Predicted {
        project: project.project.id(),
        n_tasks,
        regions: Regions::Counted(n_regions),
        took: started.elapsed(),
    });
    backend.bodies.answer(json, answered.permits).await
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

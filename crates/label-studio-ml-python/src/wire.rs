//! What the Python side takes and gives, for calls that do not come straight from HTTP.

use anyhow::Context;
use label_studio_ml::{
    Event, PredictRequest, Prediction, Predictions, Project, RawError, TaskPrediction, Value, json,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct PredictReply {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct Failure {
    detail: Option<String>,
}

/// Writes the body of `/predict`.
pub(crate) fn predict_body(project: &Project, request: &PredictRequest) -> String {
    let mut params = request.params.clone();
    params.insert("context".to_owned(), json!(request.context));
    let body = json!({
        "tasks": request.tasks,
        "project": project.id().as_str(),
        "label_config": project.label_config().text(),
        "params": params,
    });
    body.to_string()
}

/// Reads an answer to `/predict`.
pub(crate) fn predictions(answer: &[u8]) -> anyhow::Result<Predictions> {
    let reply: PredictReply =
        serde_json::from_slice(answer).context("the model answered with no list of results")?;
    let read = |entry: Value| -> anyhow::Result<TaskPrediction> {
        Ok(if entry.is_array() {
            TaskPrediction::Several(serde_json::from_value(entry)?)
        } else {
            TaskPrediction::One(serde_json::from_value::<Prediction>(entry)?)
        })
    };
    let tasks = reply.results.into_iter().map(read);
    Ok(Predictions {
        tasks: tasks.collect::<anyhow::Result<_>>()?,
    })
}

/// Writes the body of `/webhook`.
pub(crate) fn event_body(event: &Event) -> String {
    let mut body = event.payload.clone();
    body["action"] = event.action.as_str().into();
    body.to_string()
}

/// Reads an answer to `/webhook`: what the model's `fit` returned, null if that is no JSON.
pub(crate) fn fit_result(answer: &[u8]) -> anyhow::Result<Value> {
    let mut answer: Value = serde_json::from_slice(answer)?;
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        tracing::warn!(
            "the training's result is not kept, since it cannot be written as JSON: {error}"
        );
    }
    Ok(answer["result"].take())
}

/// Reads an answer that says what went wrong.
pub(crate) fn failure(status: u16, answer: &[u8], request_id: impl Into<String>) -> RawError {
    let failure = serde_json::from_slice::<Failure>(answer).ok();
    let detail = failure.and_then(|failure| failure.detail);
    let detail = detail.unwrap_or_else(|| String::from_utf8_lossy(answer).into_owned());
    RawError::new(status, detail).with_request_id(request_id)
}

/// Returns the name of a call in answers and logs.
pub(crate) fn request_id(call: u64) -> String {
    format!("{call:016x}")
}

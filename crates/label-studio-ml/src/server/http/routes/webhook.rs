use std::borrow::Cow;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    model::Action,
    project_id::ProjectId,
    server::{
        backend::SharedBackend,
        http::{
            errors::ApiError,
            events::events_of,
            object_body::ObjectBody,
            replies::json_response,
            wire::{WireProject, event_project},
        },
        jobs::training::Progress,
    },
};

#[derive(Deserialize)]
struct TrainBody<'a> {
    project: WireProject,
    #[serde(borrow)]
    label_config: Option<Cow<'a, str>>,
}

/// Takes annotation events and requests to train.
pub(crate) async fn webhook(
    State(backend): State<SharedBackend>,
    request: Request,
) -> Result<Response, ApiError> {
    let read = backend.bodies.read(request).await?;
    let mut payload: Map<String, Value> = ObjectBody::new(&read.bytes).parse()?;
    let name = payload.remove("action");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    let Some(action) = Action::parse(name) else {
        return Ok(reply(StatusCode::OK, &json!({ "status": "Unknown event" })));
    };
    train(&backend, action, payload).await
}

/// Takes a request to train, as Label Studio up to 1.11 sends it.
pub(crate) async fn start_training(
    State(backend): State<SharedBackend>,
    request: Request,
) -> Result<Response, ApiError> {
    let read = backend.bodies.read(request).await?;
    let text = ObjectBody::new(&read.bytes);
    let body: TrainBody<'_> = text.parse()?;
    let id = body.project.into_text();
    let project =
        json!({ "id": ProjectId::parse(&id).as_str(), "label_config": body.label_config });
    let payload = Map::from_iter([("project".to_owned(), project)]);
    train(&backend, Action::StartTraining, payload).await
}

async fn train(
    backend: &SharedBackend,
    action: Action,
    payload: Map<String, Value>,
) -> Result<Response, ApiError> {
    let (id, label_config) = event_project(&payload)
        .ok_or_else(|| ApiError::bad_request("the event has no project.id"))?;
    let label_config = label_config.map(Cow::Borrowed);
    let project = backend.projects.get(&id, label_config).await?;
    let events = events_of(action, payload);
    let answer = match backend.training.start_all(&project.project, events).await {
        Ok(Progress::Ended(result)) => json!({ "result": result, "status": "ok" }),
        Ok(Progress::GoesOn(job)) => json!({ "job": job, "result": null, "status": "ok" }),
        // A model in Python was trained, but what `fit` returned is not JSON.
        Err(error) if error.status() == StatusCode::CREATED => {
            json!({ "error": error.detail(), "status": "error" })
        }
        Err(error) => return Err(error),
    };
    Ok(reply(StatusCode::CREATED, &answer))
}

fn reply(status: StatusCode, json: &Value) -> Response {
    json_response(status, json.to_string().into_bytes())
}

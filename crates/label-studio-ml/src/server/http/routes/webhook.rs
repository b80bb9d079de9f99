use std::borrow::Cow;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Map, Value, json};

use crate::{
    model::{Action, Event},
    server::{
        backend::SharedBackend,
        http::{errors::ApiError, object_body::ObjectBody, replies::json_response},
        jobs::training::Progress,
    },
};

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
    let (id, label_config) = project_of(&payload)?;
    let project = backend.projects.get(&id, label_config).await?;
    let event = Event {
        action,
        payload: Value::Object(payload),
    };
    let answer = match backend.training.start(project, event).await? {
        Progress::Ended(result) => json!({ "result": result, "status": "ok" }),
        Progress::GoesOn(job) => json!({ "job": job, "result": null, "status": "ok" }),
    };
    Ok(reply(StatusCode::CREATED, &answer))
}

fn project_of(payload: &Map<String, Value>) -> Result<(String, Option<Cow<'_, str>>), ApiError> {
    let project = payload.get("project").unwrap_or(&Value::Null);
    let id = match project.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return Err(ApiError::bad_request("the event has no project.id")),
    };
    let label_config = project.get("label_config").and_then(Value::as_str);
    Ok((id, label_config.map(Cow::Borrowed)))
}

fn reply(status: StatusCode, json: &Value) -> Response {
    json_response(status, json.to_string().into_bytes())
}

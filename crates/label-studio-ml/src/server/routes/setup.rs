use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::WireProject;
use crate::{
    StoreError,
    server::{
        app::SharedBackend,
        body::{self, JsonBody},
        error::{ApiError, json_response},
        introduction::Introductions,
        lanes::on_own_thread,
        projects::{Projects, SeenProject},
        raw::RawRequest,
    },
};

const EXTRA_PARAMS: &str = "extra_params";
/// Label Studio waits three seconds.
const ANSWER_WITHIN: Duration = Duration::from_millis(2500);

#[derive(Deserialize)]
struct SetupBody<'a> {
    project: WireProject,
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
    #[serde(default)]
    extra_params: Value,
}

#[derive(Serialize)]
struct SetupReply {
    model_version: String,
}

/// Prepares a project; Label Studio calls this at every refresh of a screen.
pub(in crate::server) async fn setup(
    State(backend): State<SharedBackend>,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let JsonBody { bytes, share } = backend.bodies.read(request).await?;
    let body: SetupBody<'_> = body::parse(body::object_text(&bytes)?)?;
    let project = Projects::get(&backend, &body.project.into_text(), body.schema).await?;
    Introductions::start(&backend, &project, &headers);
    let extra_params = body.extra_params;
    if let Some(raw) = &backend.raw {
        let request = RawRequest::holding(bytes.clone(), share);
        if let Ok(answer) = tokio::time::timeout(ANSWER_WITHIN, raw.setup_raw(request)).await {
            return Ok(json_response(StatusCode::OK, answer?));
        }
        let keep = Arc::clone(&project);
        on_own_thread(move || Ok(store_extra_params(&keep, &extra_params)?)).await?;
        return still_runs(&project);
    }
    let model = match backend.model.peek() {
        Some(Ok(model)) => Some(Arc::clone(model)),
        Some(Err(_)) => Some(backend.model.model().await?),
        None => None,
    };
    let alike = project.is_set_up();
    let preparing = backend.setups.run(alike, {
        let project = Arc::clone(&project);
        move || {
            store_extra_params(&project, &extra_params)?;
            let set_up = model.map_or(Ok(()), |model| project.set_up(&*model));
            set_up.map_err(|error| ApiError::model(&error))
        }
    });
    match tokio::time::timeout(ANSWER_WITHIN, preparing).await {
        Ok(result) => result?,
        Err(_) => return still_runs(&project),
    }
    from_store(&project)
}

fn still_runs(project: &SeenProject) -> Result<Response, ApiError> {
    tracing::warn!(project = %project.project.id(), "setup still runs; answered from the store");
    from_store(project)
}

fn from_store(project: &SeenProject) -> Result<Response, ApiError> {
    let reply = SetupReply {
        model_version: project.project.model_version()?,
    };
    Ok(json_response(
        StatusCode::OK,
        serde_json::to_vec(&reply).unwrap_or_default(),
    ))
}

/// Keeps the params as JSON text; a person may have sent text or JSON, and emptied the field.
fn store_extra_params(project: &SeenProject, extra_params: &Value) -> Result<(), StoreError> {
    let project = &project.project;
    match extra_params {
        Value::Null if !project.has(EXTRA_PARAMS)? => Ok(()),
        Value::Null => project.set(EXTRA_PARAMS, "{}"),
        Value::String(text) if text.trim().is_empty() => project.set(EXTRA_PARAMS, "{}"),
        Value::String(text) => project.set(EXTRA_PARAMS, text),
        json => project.set(EXTRA_PARAMS, &json.to_string()),
    }
}

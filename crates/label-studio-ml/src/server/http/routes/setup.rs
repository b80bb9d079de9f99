use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    raw::model::{RawError, RawModel, RawRequest, Readiness},
    server::{
        backend::SharedBackend,
        calls::{executor::run_blocking, projects::SeenProject},
        http::{
            body::RawBody, errors::ApiError, object_body::ObjectBody, replies::json_response,
            wire::WireProject,
        },
    },
    store::StoreError,
};

const EXTRA_PARAMS: &str = "extra_params";
/// Label Studio waits three seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(2500);

#[derive(Deserialize)]
struct SetupBody<'a> {
    project: WireProject,
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
    #[serde(default)]
    extra_params: Value,
    /// Address that users reach Label Studio by.
    #[serde(default)]
    hostname: Value,
}

#[derive(Serialize)]
struct SetupReply {
    model_version: String,
}

/// Prepares a project. Label Studio calls this at every refresh of a page.
pub(crate) async fn setup(
    State(backend): State<SharedBackend>,
    request: Request,
) -> Result<Response, ApiError> {
    let headers = request.headers().clone();
    let RawBody { bytes, memory } = backend.bodies.read(request).await?;
    let text = ObjectBody::new(&bytes);
    let body: SetupBody<'_> = text.parse()?;
    let project = backend
        .projects
        .get(&body.project.into_text(), body.schema)
        .await?;
    backend.connect_checks.start(&project, &headers);
    if let (Some(media), Value::String(hostname)) = (&backend.resources.media, &body.hostname) {
        media.add_public_address(hostname);
    }
    let extra_params = body.extra_params;
    if let Some(raw) = &backend.served.raw {
        let request = RawRequest::holding(bytes.clone(), memory);
        // Spawned, so that a model that is not loaded in time gets the request later: it may act on the extra params.
        let setting_up = tokio::spawn(set_up_raw(Arc::clone(raw), request, bytes.clone()));
        return match timeout(ANSWER_TIMEOUT, setting_up).await {
            Ok(Ok(answer)) => Ok(json_response(StatusCode::OK, answer?)),
            Ok(Err(error)) => Err(ApiError::model(&error.into())),
            Err(_) => still_runs(project, extra_params).await,
        };
    }
    let deadline = Instant::now() + ANSWER_TIMEOUT;
    let Ok(model) = timeout_at(deadline, backend.served.slot.model()).await else {
        return still_runs(project, extra_params).await;
    };
    let model = model?;
    let may_run_inline = project.is_set_up();
    let preparing = backend.setups.run(may_run_inline, {
        let project = Arc::clone(&project);
        move || {
            let unfit =
                |error| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}"));
            project.check(&*model).map_err(unfit)?;
            store_extra_params(&project, &extra_params)?;
            let set_up = project.set_up(&*model);
            set_up.map_err(|error| ApiError::model(&error))
        }
    });
    match timeout_at(deadline, preparing).await {
        Ok(result) => result?,
        Err(_) => warn_that_setup_runs(&project),
    }
    from_store(&project)
}

/// Sets up a project, however long the model takes to load.
async fn set_up_raw(
    raw: Arc<dyn RawModel>,
    request: RawRequest,
    body: Bytes,
) -> Result<Bytes, RawError> {
    let mut answer = raw.setup_raw(request).await;
    while let Err(error) = &answer
        && error.retry_after.is_some()
        && raw.readiness() == Readiness::Loading
    {
        answer = raw.setup_raw(RawRequest::new(body.clone())).await;
    }
    answer
}

/// Answers when the model is not ready in time; the extra params are kept for it.
async fn still_runs(project: Arc<SeenProject>, extra_params: Value) -> Result<Response, ApiError> {
    warn_that_setup_runs(&project);
    let keep = Arc::clone(&project);
    run_blocking(move || Ok(store_extra_params(&keep, &extra_params)?)).await?;
    from_store(&project)
}

fn warn_that_setup_runs(project: &SeenProject) {
    tracing::warn!(project = %project.project.id(), "setup still runs; answered with the stored version");
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

/// Stores the params as JSON text. A user may have entered text or JSON, or emptied the field.
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

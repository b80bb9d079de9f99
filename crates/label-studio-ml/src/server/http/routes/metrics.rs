use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use crate::{
    raw::model::Readiness,
    server::{backend::SharedBackend, calls::executor::run_blocking, http::errors::ApiError},
};

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns metrics: JSON for clients that accept it, else `OpenMetrics` text.
pub(crate) async fn metrics(
    State(backend): State<SharedBackend>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let wants_json = accept.contains("application/json");
    run_blocking(move || {
        let now = backend.now();
        if wants_json {
            let ready = backend.readiness() == Readiness::Ready;
            return Ok(Json(backend.metrics.json(now, ready)).into_response());
        }
        let text = backend.metrics.text(now);
        Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
    })
    .await
}

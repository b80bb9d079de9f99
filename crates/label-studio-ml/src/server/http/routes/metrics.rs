use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use crate::{raw::model::Readiness, server::backend::SharedBackend};

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns metrics: JSON for clients that accept it, else `OpenMetrics` text.
pub(crate) async fn metrics(State(backend): State<SharedBackend>, headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    if accept.contains("application/json") {
        let ready = backend.readiness() == Readiness::Ready;
        return Json(backend.metrics.json(backend.n_waiting(), ready)).into_response();
    }
    (
        [(header::CONTENT_TYPE, TEXT)],
        backend.metrics.text(backend.n_waiting()),
    )
        .into_response()
}

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use crate::server::{backend::SharedBackend, http::replies::json_response};

#[derive(Serialize)]
struct HealthReply<'a> {
    model_class: &'a str,
    status: &'static str,
}

/// Answers the health check; never waits for the model.
pub(crate) async fn health(State(backend): State<SharedBackend>) -> Response {
    let reply = HealthReply {
        model_class: backend.model_name(),
        status: "UP",
    };
    json_response(
        StatusCode::OK,
        serde_json::to_vec(&reply).unwrap_or_default(),
    )
}

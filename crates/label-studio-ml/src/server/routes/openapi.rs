use axum::{Json, extract::State};
use serde_json::Value;

use crate::server::{app::SharedBackend, openapi};

/// Describes the routes to programs.
pub(in crate::server) async fn openapi(State(backend): State<SharedBackend>) -> Json<Value> {
    Json(openapi::document(&backend.version))
}

use axum::{Json, extract::State};
use serde_json::Value;

use crate::server::{
    backend::SharedBackend,
    http::{openapi, route::Route},
};

/// Describes the routes to programs.
pub(crate) async fn openapi(
    routes: &'static [Route],
    State(backend): State<SharedBackend>,
) -> Json<Value> {
    Json(openapi::document(routes, &backend.version))
}

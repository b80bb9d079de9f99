use axum::{
    Json,
    extract::State,
    routing::{MethodRouter, get},
};

use crate::server::{
    backend::SharedBackend,
    http::{openapi, route::Route},
};

/// Describes `routes` to programs.
pub(crate) fn openapi(routes: &'static [Route]) -> MethodRouter<SharedBackend> {
    get(async move |State(backend): State<SharedBackend>| {
        Json(openapi::document(routes, &backend.version))
    })
}

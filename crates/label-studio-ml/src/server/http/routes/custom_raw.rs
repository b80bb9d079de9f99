//! Custom routes of a raw model.

use std::sync::Arc;

use axum::{body::Body, extract::Request, response::Response};

use crate::{
    raw::model::{RawCustomRequest, RawRequest},
    server::{
        backend::SharedBackend,
        calls::permits::Priority,
        http::{body::RawBody, errors::ApiError},
    },
};

/// Passes a request to the model unchanged, if the model has custom routes. Returns `None` if the
/// path is not one of them.
pub(crate) async fn custom_route_raw(
    backend: &SharedBackend,
    request: Request,
) -> Result<Option<Response>, ApiError> {
    let Some(raw) = backend
        .served
        .raw
        .as_ref()
        .filter(|raw| raw.has_custom_routes())
    else {
        return Ok(None);
    };
    let raw = Arc::clone(raw);
    let (head, body) = request.into_parts();
    let RawBody { bytes, memory } = backend.bodies.read_any(&head.headers, body).await?;
    let permit = backend.permit(Priority::Batch).await?;
    let addresses = head.extensions.get().copied().unwrap_or_default();
    let request = RawRequest::holding(bytes, (permit, memory));
    let answer = raw
        .custom_route_raw(RawCustomRequest {
            head,
            addresses,
            request,
        })
        .await?;
    Ok(answer.map(|answer| answer.map(Body::from)))
}

//! Paths and methods that only a model which answers itself knows.

use std::sync::Arc;

use axum::{body::Body, extract::Request, response::Response};

use crate::server::{
    app::SharedBackend,
    body::RawBody,
    error::ApiError,
    raw::{RawOwnRequest, RawRequest},
};

/// Hands a request over as it came, if the model has paths of its own. Returns nothing if the path is none of them.
pub(in crate::server) async fn own_raw(
    backend: &SharedBackend,
    request: Request,
) -> Result<Option<Response>, ApiError> {
    let Some(raw) = backend.raw.as_ref().filter(|raw| raw.has_own_paths()) else {
        return Ok(None);
    };
    let raw = Arc::clone(raw);
    let (head, body) = request.into_parts();
    let RawBody { bytes, share } = backend.bodies.read_any(&head.headers, body).await?;
    let place = backend.place().await?;
    let peers = head.extensions.get().copied().unwrap_or_default();
    let request = RawRequest::holding(bytes, (place, share));
    let answer = raw
        .own_raw(RawOwnRequest {
            head,
            peers,
            request,
        })
        .await?;
    Ok(answer.map(|answer| answer.map(Body::from)))
}

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use serde_json::Value;

use crate::{
    custom_route::CustomRequest,
    server::{
        backend::SharedBackend,
        http::{
            errors::ApiError,
            object_body::ObjectBody,
            replies::{MAX_PATH_CHARS, json_response, shortened},
            routes::custom_raw::custom_route_raw,
        },
    },
};

/// Passes requests for custom routes to the model. Until the model has loaded there are none.
pub(crate) async fn custom_route(
    State(backend): State<SharedBackend>,
    request: Request,
) -> Result<Response, ApiError> {
    let path = request.uri().path().to_owned();
    if backend.served.raw.is_some() {
        let answer = custom_route_raw(&backend, request).await?;
        return answer.ok_or_else(|| unknown(&path));
    }
    let is_own = match backend.served.slot.peek() {
        Some(Ok(model)) => model.custom_routes().contains(&path.as_str()),
        Some(Err(_)) | None => false,
    };
    if !is_own {
        return Err(unknown(&path));
    }
    let method = request.method().clone();
    let headers = headers(request.headers());
    let body = if matches!(method, Method::GET | Method::HEAD) {
        Value::Null
    } else {
        let read = backend.bodies.read(request).await?;
        ObjectBody::new(&read.bytes).parse()?
    };
    let request = CustomRequest {
        method: method.to_string(),
        path,
        headers,
        body,
        resources: Arc::clone(&backend.resources),
    };
    let reply = backend
        .run(move |model| {
            model
                .answer_custom_route(&request)
                .map_err(|error| ApiError::model(&error))
        })
        .await?;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(json_response(status, reply.body.to_string().into_bytes()))
}

fn unknown(path: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        format!("there is no {}", shortened(path, MAX_PATH_CHARS)),
    )
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

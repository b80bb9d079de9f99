//! Parts of answers.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

/// Longest part of a path that is answered and logged.
pub(crate) const MAX_PATH_CHARS: usize = 200;

/// Returns an answer with the given JSON.
pub(crate) fn json_response(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let json_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, json_type);
    response
}

/// Cuts a text that a caller chose to `max_chars`, for answers and log lines.
pub(crate) fn shortened(text: impl Into<String>, max_chars: usize) -> String {
    let mut text = text.into();
    let Some((end, _)) = text.char_indices().nth(max_chars) else {
        return text;
    };
    let n_chars = text.chars().count();
    text.truncate(end);
    format!("{text}... ({n_chars} characters)")
}

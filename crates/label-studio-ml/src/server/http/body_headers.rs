//! The headers of a request that say what its body is.

use axum::http::{HeaderMap, StatusCode, header};

use crate::server::http::{
    errors::ApiError,
    replies::{MAX_PATH_CHARS, shortened},
};

/// Returns the length that a request announces, if any.
pub(super) fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Refuses a body without JSON type: a browser sends such a cross-origin request without a
/// preflight.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let media_type = content_type
        .and_then(|content_type| content_type.to_str().ok())
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    if media_type == "application/json" || media_type.ends_with("+json") {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!(
            "the body is {:?}; send JSON with Content-Type: application/json",
            shortened(media_type, MAX_PATH_CHARS)
        ),
    ))
}

/// Refuses compressed bodies: Label Studio sends none, and one could expand to fill the memory.
pub(super) fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body is compressed; send it without Content-Encoding",
    ))
}

//! HTTP basic authentication, checked in constant time.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq;

use crate::server::http::errors::ApiError;

/// Credentials that clients must send.
pub(crate) struct BasicAuth {
    expected: [Vec<u8>; 2],
    public_health: bool,
}

impl BasicAuth {
    pub(crate) fn new(user: &str, pass: &str, public_health: bool) -> Self {
        let credentials = format!("{user}:{pass}");
        Self {
            expected: [credentials.clone().into_bytes(), latin_1(&credentials)],
            public_health,
        }
    }

    /// Returns whether a request has the right credentials, or needs none.
    pub(crate) fn admits(&self, request: &Request) -> bool {
        let path = request.uri().path();
        if self.public_health && matches!(path, "/" | "/health" | "/ready") {
            return true;
        }
        let header = request.headers().get(header::AUTHORIZATION);
        let given = header
            .and_then(|value| value.to_str().ok())
            .and_then(credentials);
        given.is_some_and(|given| {
            let [utf_8, latin_1] = &self.expected;
            (given.ct_eq(utf_8) | given.ct_eq(latin_1)).into()
        })
    }
}

/// Label Studio's HTTP library sends credentials in Latin-1 where it can.
fn latin_1(text: &str) -> Vec<u8> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn credentials(header: &str) -> Option<Vec<u8>> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    BASE64_STANDARD.decode(encoded.trim()).ok()
}

/// Returns the answer to requests without the right credentials.
pub(crate) fn refusal() -> Response {
    let detail =
        "Unauthorized: credentials are missing or wrong; give the backend's user and password";
    let mut response = ApiError::new(StatusCode::UNAUTHORIZED, detail).into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"Login required\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

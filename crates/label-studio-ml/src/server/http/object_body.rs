//! Bodies that are one JSON object.

use std::sync::OnceLock;

use bytes::Bytes;
use label_studio_sdk::python::repair_json;

use crate::server::http::errors::ApiError;

/// A body that is to be one JSON object.
pub(crate) struct ObjectBody<'a> {
    bytes: &'a Bytes,
    repaired: OnceLock<Bytes>,
}

impl<'a> ObjectBody<'a> {
    pub(crate) fn new(bytes: &'a Bytes) -> Self {
        Self {
            bytes,
            repaired: OnceLock::new(),
        }
    }

    /// Parses the object. JSON that only Python accepts, such as `NaN`, is repaired; other errors
    /// name the place.
    pub(crate) fn parse<'b, T: serde::Deserialize<'b>>(&'b self) -> Result<T, ApiError> {
        let text = object_text(self.bytes)?;
        let error = match serde_json::from_str(text) {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        if let Some(repaired) = repair_json(text) {
            let repaired = self.repaired.get_or_init(|| repaired.into());
            if let Ok(object) = serde_json::from_slice(repaired) {
                return Ok(object);
            }
        }
        let detail = format!("the body is not as expected: {error}");
        Err(ApiError::bad_request(detail))
    }

    /// Returns the bytes that the object was read from.
    pub(crate) fn source(&self) -> &Bytes {
        self.repaired.get().unwrap_or(self.bytes)
    }
}

/// Returns the text of one JSON object, without the byte order mark that some clients send.
fn object_text(bytes: &Bytes) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request("the body is not valid UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text
        .trim_start_matches([' ', '\n', '\r', '\t'])
        .chars()
        .next()
    {
        Some('{') => Ok(text),
        None => Err(ApiError::bad_request(
            "the body is empty; send a JSON object",
        )),
        Some(_) => Err(ApiError::bad_request("the body is not a JSON object")),
    }
}

//! Answers of a service.

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use ureq::http::HeaderMap;

use super::error::ServiceError;

/// Answer of a service with a status from 200 to 299.
#[derive(Clone)]
pub struct ServiceResponse {
    /// HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    pub(crate) headers: HeaderMap,
    pub(crate) url: String,
}

impl ServiceResponse {
    /// Returns a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body as text; what is not UTF-8 becomes `�`.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ServiceError> {
        serde_json::from_slice(&self.body).map_err(|source| ServiceError::Json {
            url: self.url.clone(),
            source,
        })
    }
}

impl std::fmt::Debug for ServiceResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceResponse")
            .field("url", &self.url)
            .field("status", &self.status)
            .field("n_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

//! Requests to a service.

use bytes::Bytes;
use serde_json::Value;
use ureq::http::Method;
use url::{Url, form_urlencoded};

use super::error::ServiceError;
use crate::Secret;

/// Request to a service. Cheap to clone: the body is shared.
#[derive(Clone)]
pub struct ServiceRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) body: Bytes,
    pub(crate) acts_once: bool,
    secrets: Vec<Secret>,
}

impl ServiceRequest {
    /// Starts a `GET`.
    pub fn get(url: &str) -> Result<Self, ServiceError> {
        Self::new(Method::GET, url)
    }

    /// Starts a `POST`; its body is empty until one is given.
    pub fn post(url: &str) -> Result<Self, ServiceError> {
        Self::new(Method::POST, url)
    }

    /// Starts a `PUT`; its body is empty until one is given.
    pub fn put(url: &str) -> Result<Self, ServiceError> {
        Self::new(Method::PUT, url)
    }

    /// Starts a `DELETE`.
    pub fn delete(url: &str) -> Result<Self, ServiceError> {
        Self::new(Method::DELETE, url)
    }

    fn new(method: Method, url: &str) -> Result<Self, ServiceError> {
        let invalid = || ServiceError::InvalidUrl {
            url: url.split('?').next().unwrap_or_default().to_owned(),
        };
        let url = Url::parse(url.trim()).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            method,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            acts_once: false,
            secrets: Vec::new(),
        })
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), Secret::from(value)));
        self
    }

    /// Adds a header whose value is hidden in whatever the service says about it.
    #[must_use]
    pub fn secret_header(self, name: &str, value: &Secret) -> Self {
        self.header(name, value.expose()).hiding(value)
    }

    /// Adds `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.authorization("Bearer", token)
    }

    /// Adds `Authorization: <scheme> <token>`.
    #[must_use]
    pub fn authorization(self, scheme: &str, token: &Secret) -> Self {
        let value = format!("{scheme} {}", token.expose());
        self.header("authorization", &value).hiding(token)
    }

    /// Appends a parameter to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Appends a parameter to the query whose value is hidden in whatever the service says about it.
    #[must_use]
    pub fn secret_query(self, name: &str, value: &Secret) -> Self {
        self.query(name, value.expose()).hiding(value)
    }

    /// Hides a secret, such as a password in the body, in whatever the service says about it.
    #[must_use]
    pub fn hiding(mut self, secret: &Secret) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    /// Sends a form, `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.bytes("application/x-www-form-urlencoded", body)
    }

    /// Sends any bytes.
    #[must_use]
    pub fn bytes(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Says that the service acts on the request, so that it is only sent again when it was certainly not read: after a
    /// failure to connect, and after status 429 or 503.
    #[must_use]
    pub fn acting_once(mut self) -> Self {
        self.acts_once = true;
        self
    }

    /// Returns the whole address, its query with secrets included.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the address for logs and errors: without query.
    pub fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        self.redact(url.as_str())
    }

    /// Returns everything that an answer depends on beside the body: the address and the headers, credentials included.
    pub(crate) fn identity(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter();
        let headers = headers.flat_map(|(name, value)| [name.as_str(), value.expose()]);
        [self.method.as_str(), self.url()]
            .into_iter()
            .chain(headers)
    }

    /// Returns `text` without the secrets of the request.
    pub(crate) fn redact(&self, text: &str) -> String {
        let hide = |text: String, secret: &Secret| secret.redact(&text);
        self.secrets.iter().fold(text.to_owned(), hide)
    }
}

impl std::fmt::Debug for ServiceRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceRequest")
            .field("method", &self.method)
            .field("url", &self.shown_url())
            .field("headers", &self.headers)
            .field("n_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

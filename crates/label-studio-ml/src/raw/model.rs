//! Models that read requests and write answers themselves.

use std::{any::Any, fmt, net::SocketAddr, pin::Pin};

use axum::http;
use bytes::Bytes;

use crate::model::Model;

/// The answer to a request, once the model has written it. Dropping it takes the call away if it has not begun; a call
/// that has begun goes on to its end.
pub type RawAnswer = Pin<Box<dyn Future<Output = Result<Bytes, RawError>> + Send>>;

/// The answer to a request for a custom route; `None` if the model has no such route.
pub type RawCustomAnswer =
    Pin<Box<dyn Future<Output = Result<Option<http::Response<Bytes>>, RawError>> + Send>>;

/// A model that takes requests as Label Studio wrote them and writes answers as Label Studio reads them: one that runs in
/// another process or another language, for which a request would otherwise be read and written twice.
///
/// The server does for it what it does for every [`Model`]: credentials, limits, the check that a request makes sense, the
/// line of waiting calls, training apart from the connection that asked for it. Methods are called within the server's
/// runtime and must not block.
pub trait RawModel: Model {
    /// Answers `/predict`. The body has been checked: a JSON object with tasks and a readable label config.
    fn predict_raw(&self, request: RawRequest) -> RawAnswer;

    /// Answers `/setup`. The body has been checked: a JSON object with a project and a readable label config. Label Studio
    /// does not wait long, so it is answered from the store when this takes too long.
    fn setup_raw(&self, request: RawRequest) -> RawAnswer;

    /// Tells whether the model may answer paths and methods that the server does not know.
    fn has_custom_routes(&self) -> bool {
        false
    }

    /// Answers a request for a path or a method that the server does not know. Nothing of it has been checked but the
    /// credentials and the size.
    fn custom_route_raw(&self, _request: RawCustomRequest) -> RawCustomAnswer {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Returns how many predictions the model makes at once.
    fn places(&self) -> usize;

    /// Tells whether the model can answer now. Calls that come while it loads wait for it.
    fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    /// Returns numbers for `/metrics`.
    fn numbers(&self) -> Vec<RawNumber> {
        Vec::new()
    }

    /// Ends what the model runs, after the last call.
    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// Whether a model can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// It cannot yet.
    Loading,
    /// It cannot be loaded, for this reason.
    Failed(String),
}

/// A request as Label Studio wrote it.
///
/// It holds the call's place among the calls that the model takes at once, and its share of the memory for bodies; both are
/// free again when it is dropped, so whoever works on it keeps it until the work has ended.
pub struct RawRequest {
    /// The body.
    pub body: Bytes,
    _held: Box<dyn Any + Send + Sync>,
}

impl RawRequest {
    /// Creates a request that holds no place.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self::holding(body, ())
    }

    /// Creates a request that keeps `held` until it is dropped.
    pub fn holding(body: impl Into<Bytes>, held: impl Any + Send + Sync) -> Self {
        Self {
            body: body.into(),
            _held: Box::new(held),
        }
    }
}

impl fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A request for a path or a method that the server does not know, as it came.
#[derive(Debug)]
pub struct RawCustomRequest {
    /// Method, path with query, and headers.
    pub head: http::request::Parts,
    /// The two ends of the connection.
    pub addresses: ConnectionAddresses,
    /// The body.
    pub request: RawRequest,
}

/// Addresses of the two ends of a connection; `None` for an end without IP address, such as a Unix socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionAddresses {
    /// The caller.
    pub client: Option<SocketAddr>,
    /// This server.
    pub server: Option<SocketAddr>,
}

/// One number for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawNumber {
    /// Name, without the prefix `label_studio_ml_`.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// Whether it only ever grows.
    pub is_total: bool,
    /// The number now.
    pub value: u64,
}

/// Why a model that answers itself has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RawError {
    /// HTTP status.
    pub status: u16,
    /// What went wrong, for the caller.
    pub detail: String,
    /// Seconds after which the caller may try again.
    pub retry_after: Option<u32>,
    /// Name of the request in the model's own log; the server makes one up if there is none.
    pub request_id: Option<String>,
}

impl RawError {
    /// Creates an error that is not worth trying again.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
            request_id: None,
        }
    }

    /// Sets the name of the request in the model's own log.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Creates an error that tells the caller to come back.
    pub fn unavailable(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(503, detail)
        }
    }
}

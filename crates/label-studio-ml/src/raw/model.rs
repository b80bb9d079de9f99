//! Models that read requests and write answers themselves.

use std::{any::Any, fmt, net::SocketAddr, pin::Pin};

use axum::http;
use bytes::Bytes;

use crate::model::Model;

/// The future answer to a request. Dropping it cancels a call that has not begun; a call that has
/// begun runs to its end.
pub type RawAnswer = Pin<Box<dyn Future<Output = Result<Bytes, RawError>> + Send>>;

/// The answer to a request for a custom route; `None` if the model has no such route.
pub type RawCustomAnswer =
    Pin<Box<dyn Future<Output = Result<Option<http::Response<Bytes>>, RawError>> + Send>>;

/// A model that gets requests as Label Studio wrote them and returns answers as Label Studio reads
/// them: for a model in another process or another language, for which the server would otherwise
/// parse and write JSON twice.
///
/// The server does the same for it as for every [`Model`]: credentials, limits, validation of the
/// request, the queue, and training in the background. Methods are called within the server's
/// runtime and must not block.
pub trait RawModel: Model {
    /// Answers `/predict`. The body has been checked: a JSON object with tasks and a readable label
    /// config.
    fn predict_raw(&self, request: RawRequest) -> RawAnswer;

    /// Answers `/setup`. The body has been checked: a JSON object with a project and a readable
    /// label config. When this takes too long, the server answers from the store, since Label
    /// Studio waits only 3 s.
    fn setup_raw(&self, request: RawRequest) -> RawAnswer;

    /// Returns whether the model may have custom routes.
    fn has_custom_routes(&self) -> bool {
        false
    }

    /// Returns routes that the model answers although the server has such ones for operators, as
    /// `/live` and `/docs` are. Those that Label Studio calls stay the server's.
    fn own_routes(&self) -> &[OwnRoute] {
        &[]
    }

    /// Answers a request for a path or a method that the server does not know, or for one of
    /// [`RawModel::own_routes`]. Only the credentials and the size of the body have been checked.
    fn custom_route_raw(&self, _request: RawCustomRequest) -> RawCustomAnswer {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Returns how many calls the model takes at once.
    fn permits(&self) -> usize;

    /// Returns whether the model can answer now. Calls that arrive while it loads wait for it.
    fn readiness(&self) -> Readiness {
        Readiness::Ready
    }

    /// Returns metrics for `/metrics`.
    fn metrics(&self) -> Vec<RawMetric> {
        Vec::new()
    }

    /// Stops threads and processes of the model, after the last call.
    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// A route that a model answers instead of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRoute {
    method: String,
    path: String,
    is_prefix: bool,
}

impl OwnRoute {
    /// Reads a method in capitals and a path, as in `GET /live`; a `*` at the end of the path stands
    /// for anything. Returns `None` for other texts.
    pub fn parse(text: &str) -> Option<Self> {
        let (method, path) = text.split_once(' ')?;
        let prefix = path.strip_suffix('*');
        Some(Self {
            method: method.to_owned(),
            path: prefix.unwrap_or(path).to_owned(),
            is_prefix: prefix.is_some(),
        })
    }

    /// Returns whether a request is for this route. `HEAD` is asked for like `GET`.
    pub fn matches(&self, method: &http::Method, path: &str) -> bool {
        let method = if method == http::Method::HEAD {
            "GET"
        } else {
            method.as_str()
        };
        let is_path = if self.is_prefix {
            path.starts_with(&self.path)
        } else {
            path == self.path
        };
        method == self.method && is_path
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
/// It holds the permit of the call and the memory permit of its body, and releases both when
/// dropped: keep it until the work has ended.
pub struct RawRequest {
    /// The body.
    pub body: Bytes,
    _held: Box<dyn Any + Send + Sync>,
}

impl RawRequest {
    /// Creates a request without permits.
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

/// Addresses of the two ends of a connection; `None` for an end without IP address, such as a Unix
/// socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionAddresses {
    /// The caller.
    pub client: Option<SocketAddr>,
    /// This server.
    pub server: Option<SocketAddr>,
}

/// One metric for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawMetric {
    /// Name, without the prefix `label_studio_ml_`.
    pub name: &'static str,
    /// Help text.
    pub help: &'static str,
    /// Whether it is a counter; a gauge otherwise.
    pub is_counter: bool,
    /// The current value.
    pub value: u64,
}

/// Why a raw model has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RawError {
    /// HTTP status.
    pub status: u16,
    /// The reason, for the caller.
    pub detail: String,
    /// Seconds after which the caller may retry.
    pub retry_after: Option<u32>,
    /// Id of the request in the log of the model; `None` lets the server choose one.
    pub request_id: Option<String>,
    /// Whether the model's process ended before the call did: a job is then tried again, as after
    /// the end of the server.
    pub is_cut_short: bool,
}

impl RawError {
    /// Creates an error that a retry would not change.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
            request_id: None,
            is_cut_short: false,
        }
    }

    /// Sets the id of the request in the log of the model.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Creates the error of a call that the end of the model's process cut short.
    pub fn cut_short(detail: impl Into<String>) -> Self {
        Self {
            is_cut_short: true,
            ..Self::new(500, detail)
        }
    }

    /// Creates an error that asks the caller to retry.
    pub fn unavailable(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(503, detail)
        }
    }
}

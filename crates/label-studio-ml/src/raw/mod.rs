//! Raw models read requests and write answers themselves. The Python package is built on them.

pub(crate) mod model;

pub use axum::http;

pub use crate::server::{
    http::socket::ListeningSocket,
    serve::{serve_raw, serve_raw_on},
};
pub use model::{
    ConnectionAddresses, OwnRoute, RawAnswer, RawCustomAnswer, RawCustomRequest, RawError,
    RawMetric, RawModel, RawRequest, Readiness,
};

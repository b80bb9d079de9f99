//! Models that read requests and write answers themselves: what the Python package is built on.

pub(crate) mod model;

pub use axum::http;

pub use crate::server::{
    http::socket::ListeningSocket,
    serve::{serve_raw, serve_raw_on},
};
pub use model::{
    ConnectionAddresses, RawAnswer, RawCustomAnswer, RawCustomRequest, RawError, RawModel,
    RawNumber, RawRequest, Readiness,
};

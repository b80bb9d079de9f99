//! The HTTP server around a model.

mod app;
mod args;
mod auth;
mod backend;
mod body;
mod connections;
mod error;
mod introduction;
mod lanes;
mod logging;
mod metrics;
mod model_slot;
mod openapi;
mod parse_args;
mod projects;
mod raw;
mod routes;
mod serve;
mod services;
mod shards;
mod socket;
mod test_client;
mod test_program;
mod training;

pub use args::{CacheType, LabelStudioArgs, LogLevel, ServerArgs};
pub use axum::http;
pub use parse_args::{parse_args, parse_args_keeping};
pub use raw::{
    Peers, RawAnswer, RawError, RawModel, RawNumber, RawOwnAnswer, RawOwnRequest, RawRequest,
    Readiness,
};
pub use serve::{serve, serve_raw, serve_raw_on};
pub use socket::ListeningSocket;
pub use test_client::TestClient;
pub use test_program::TestProgram;

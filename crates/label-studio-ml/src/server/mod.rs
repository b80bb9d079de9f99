//! The HTTP server around a model.

pub(crate) mod announce;
pub(crate) mod backend;
pub(crate) mod calls;
pub(crate) mod dashboard;
pub(crate) mod http;
pub(crate) mod jobs;
pub(crate) mod logging;
pub(crate) mod metrics;
pub(crate) mod serve;
pub mod settings;
pub(crate) mod stop;
pub(crate) mod worker_threads;

//! Speaks HTTP: connections, bodies, credentials, routes and errors.

pub(crate) mod app;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod errors;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod replies;
pub(crate) mod route;
pub(crate) mod routes;
pub(crate) mod socket;
pub(crate) mod wire;

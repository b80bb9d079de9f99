//! Speaks HTTP: connections, bodies, credentials, routes and errors.

pub(crate) mod app;
pub(crate) mod auth;
pub(crate) mod body;
mod body_headers;
pub(crate) mod connections;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod label_studio_version;
pub(crate) mod memory;
pub(crate) mod object_body;
pub(crate) mod openapi;
pub(crate) mod reason_phrase;
pub(crate) mod replies;
pub(crate) mod request_id;
pub(crate) mod route;
pub(crate) mod routes;
pub(crate) mod socket;
mod throttle;
pub(crate) mod wire;
pub(crate) mod write_timeout;

//! A backend, called by its operator or as Label Studio calls it.

mod args;
mod client;
mod url;

pub(crate) use args::BackendArgs;
pub(crate) use client::{Backend, Reply};
pub(crate) use url::{BackendUrl, basic};

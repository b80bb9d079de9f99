//! Mocks and fixtures for the tests of this workspace. Only tests depend on this crate.
//!
//! - [`MockService`] is an HTTP service on a free port of this machine: a closure answers, every request is recorded, and
//!   an [`Answer`] can carry a fault (no answer, a connection that is cut, a body that never ends).
//! - [`MockTunnelProxy`] is a proxy that opens tunnels.
//! - [`MockLabelStudio`] answers Label Studio's API for one project from a table of answers, [`MockProject`] keeps what it
//!   is sent.
//! - `media` has a fetcher with a temporary folder, `tokens` the tokens of Label Studio.
//! - `images` are bad and painted images, `project_in` is a project with a folder of them.
//! - `hub` is a mock model hub, `tls` gives a mock a certificate.
//! - [`MockObjectStore`] is a mock of S3, `PostgresServer` is a database server for one test.
//! - `flags` parses a backend's flags as its command line does.
//! - `RunningServer` is a backend's program that runs; `wait_for` waits for what it does.
//! - `check_image_regions` checks what Label Studio's exports need of regions on images.
//! - `check_backend` is the one-line test that every backend passes, `check_results` what Label Studio needs of each
//!   answer to `/predict`, and `check_repeater` a label config that repeats its tags.
//!
//! Each part that needs more than `serde_json` is a feature, so the tests of one backend build nothing for another.

#[cfg(feature = "model")]
mod conformance;
#[cfg(feature = "flags")]
pub mod flags;
mod http;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "images")]
pub mod images;
pub mod label_studio;
#[cfg(feature = "client")]
pub mod media;
mod object_store;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "model")]
mod project;
mod regions;
#[cfg(feature = "model")]
mod repeater;
#[cfg(feature = "model")]
mod results;
mod running_server;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "client")]
pub mod tokens;
mod tunnel_proxy;
mod wait;

#[cfg(feature = "model")]
pub use conformance::{check_backend, check_prediction};
pub use http::{Answer, MockService, Received};
pub use label_studio::{MockLabelStudio, MockProject};
pub use object_store::MockObjectStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresServer;
#[cfg(feature = "model")]
pub use project::project_in;
pub use regions::check_image_regions;
#[cfg(feature = "model")]
pub use repeater::check_repeater;
#[cfg(feature = "model")]
pub use results::{check_ids, check_interactive_results, check_results};
pub use running_server::RunningServer;
pub use tunnel_proxy::MockTunnelProxy;
pub use wait::wait_for;

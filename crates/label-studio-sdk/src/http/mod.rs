//! The HTTP agent of everything that goes out: Label Studio, media, web services and the weights' hub.
//!
//! [`HttpAgent`] sends requests as [`HttpOptions`] say. What an operator sets for the whole process is in
//! [`NetworkOptions`]: which certificate authorities are trusted and which proxies are used. Statuses are answers,
//! redirects are left to the caller, and the environment is not read: the flags are in
#![cfg_attr(feature = "args", doc = "[`NetworkArgs`].")]
#![cfg_attr(not(feature = "args"), doc = "`NetworkArgs` (feature `args`).")]
//!
//! - Certificates are checked against the built-in list or against [`NetworkOptions::ca_bundle`]. A self-signed certificate
//!   of that bundle is accepted as the server's own, as Python does.
//! - An `http` address is asked of a proxy in full, an `https` address through a tunnel (`CONNECT`). `NO_PROXY` rules and
//!   loopback addresses go direct.
//! - An [`AddressFilter`] says which addresses may be connected to. A direct connection is made to an address that was
//!   checked. A proxy resolves names itself: before it is asked, addresses written as numbers and names that this
//!   machine can resolve are checked.
//!
//! ```no_run
//! use label_studio_sdk::http::{HttpAgent, HttpOptions};
//! use ureq::http::Request;
//!
//! let agent = HttpAgent::new(&HttpOptions::default())?;
//! let response = agent.run(Request::get("https://example.com/").body(())?, None)?;
//! assert!(response.status().is_success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address_filter;
mod agent;
#[cfg(feature = "args")]
mod args;
mod certificates;
mod error;
mod error_body;
mod forward;
mod no_proxy;
mod options;
mod proxy;
mod proxy_address;
mod resolver;
mod tls;
mod verifier;

pub use address_filter::{AddressFilter, RefusedAddress};
pub use agent::HttpAgent;
#[cfg(feature = "args")]
pub use args::NetworkArgs;
pub use error::{CertificateProblem, HttpError, ProxyFailure, is_connection_failure};
pub use error_body::error_message;
pub use options::{HttpOptions, NetworkOptions};
pub use proxy_address::ProxyAddress;
pub use tls::tls_config;

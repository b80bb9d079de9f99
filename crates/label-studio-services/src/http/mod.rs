//! Requests to a service: deadlines, retries, and a bound on open requests.

mod args;
mod client;
mod deadline;
mod error;
mod events;
mod options;
mod permits;
mod request;
mod response;
mod retry;

pub use args::ServiceArgs;
pub use client::ServiceClient;
pub use deadline::Deadline;
pub use error::ServiceError;
pub(crate) use events::Events;
pub use options::ServiceOptions;
pub use permits::{Permit, Permits};
pub use request::ServiceRequest;
pub use response::ServiceResponse;

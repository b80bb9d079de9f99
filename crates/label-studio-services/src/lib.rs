//! What backends that call a service share.
//!
//! Label Studio waits 100 s for predictions, however many tasks it sends and however slow the service is. So everything
//! here works against a [`Deadline`]:
//!
//! - [`ServiceClient`] sends a [`ServiceRequest`], repeats it only for failures that pass, and waits as the service asks.
//! - [`map_parallel`] works on several tasks at once and keeps their order.
//! - [`Budget`] bounds tokens and costs, [`ResponseCache`] keeps answers that were paid for.
//! - [`Secret`] is a key that no log and no error shows; [`Signer`] signs requests to S3 with one.
//! - [`Program`] runs a program that reads a file; the feature `pictures` has images made ready to be sent or read.
//! - [`ChatClient`] asks chat models; [`prompt_pair`] and [`text_area_lines`] find the prompts.
//! - [`ServiceArgs`], [`ChatArgs`], [`BudgetArgs`], [`PromptArgs`] and [`TemplateArgs`] are the flags for all of this.
//!
//! ```no_run
//! use label_studio_services::{Deadline, Secret, ServiceClient, ServiceOptions, ServiceRequest};
//! use serde_json::json;
//!
//! let key = Secret::from("sk-...");
//! let client = ServiceClient::new(ServiceOptions::default())?;
//! let request = ServiceRequest::post("https://example.com/v1/speak")?
//!     .bearer(&key)
//!     .json(&json!({ "text": "Hello" }));
//! let audio = client.send(&request, Deadline::predict())?.body;
//! # Ok::<(), label_studio_services::ServiceError>(())
//! ```

mod args;
mod budget;
mod cache;
mod chat;
mod client;
mod deadline;
mod error;
mod events;
mod options;
mod parallel;
#[cfg(feature = "pictures")]
mod picture;
mod places;
mod program;
mod prompt;
mod prompt_args;
mod request;
mod response;
mod retry;
mod secret;
mod sigv4;
mod values;

pub use args::ServiceArgs;
pub use budget::{Budget, BudgetError, Prices, Usage};
pub use cache::{CacheKey, ResponseCache};
pub use chat::{BudgetArgs, ChatArgs, ChatChoice, ChatClient, ChatEndpoint, ChatError, ChatReply};
pub use client::ServiceClient;
pub use deadline::Deadline;
pub use error::ServiceError;
pub use options::ServiceOptions;
pub use parallel::map_parallel;
#[cfg(feature = "pictures")]
pub use picture::{PictureArgs, PictureError, data_url};
pub use program::{Program, ProgramError};
pub use prompt::{prompt_pair, text_area_lines};
pub use prompt_args::{DefaultPromptError, PromptArgs, TemplateArgs};
pub use request::ServiceRequest;
pub use response::ServiceResponse;
pub use secret::Secret;
pub use sigv4::{Credentials, Signer, Timestamp, sha256_hex, uri_encoded};
pub use values::{first_filled, parse_object, parse_seconds};

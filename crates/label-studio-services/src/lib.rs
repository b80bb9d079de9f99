//! Shared code of backends that call a web service.
//!
//! Label Studio waits 100 s for predictions, however many tasks it sends and however slow the service is. So everything
//! here works against a [`Deadline`]:
//!
//! - [`ServiceClient`] sends a [`ServiceRequest`], repeats it only for failures that pass, and waits as the service asks.
//! - [`map_parallel`] works on several tasks at once and keeps their order; [`Permits`] bound what all requests do.
//! - [`Budget`] bounds tokens and costs, [`ResponseCache`] keeps answers that were paid for.
//! - [`Secret`] is a key that no log and no error shows; [`aws`] signs requests to S3 with one.
//! - [`ChatClient`] asks chat models; [`prompt_pair`] and [`prompt_lines`] find the prompts.
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

pub mod aws;
mod cache;
mod chat;
mod http;
mod parallel;
mod secret;
mod values;

pub use cache::{CacheKey, ResponseCache};
pub use chat::{
    AzureDeployment, Budget, BudgetArgs, BudgetError, ChatArgs, ChatChoice, ChatClient,
    ChatEndpoint, ChatError, ChatReply, DefaultPromptError, Prices, PromptArgs, TaskFieldError,
    TemplateArgs, Usage, constant_text, prompt_lines, prompt_pair, shown_value, text_area_lines,
    typed_prompt,
};
pub use http::{
    Deadline, Permit, Permits, ServiceArgs, ServiceClient, ServiceError, ServiceOptions,
    ServiceRequest, ServiceResponse,
};
pub use parallel::map_parallel;
pub use secret::Secret;
pub use values::{first_filled, parse_object, parse_seconds};

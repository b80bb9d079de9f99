//! Labels by prompt: a chat model answers what the annotator asks about the task.
//!
//! [`OpenAIInteractive`] is the model that Label Studio talks to. It speaks OpenAI's API, so it works with OpenAI, Azure
//! OpenAI, Ollama and every server that has taken the API over. [`Options`] are its flags.

mod answer;
mod content;
mod model;
mod options;
mod outputs;
mod pdf;
mod prompt_versions;
mod provider;
mod question;
mod structured;
mod taxonomy;

pub use model::OpenAIInteractive;
pub use options::{LimitArgs, MediaArgs, MediaMode, Options, QuestionArgs, StructuredOutput};
pub use provider::{Provider, ProviderArgs};

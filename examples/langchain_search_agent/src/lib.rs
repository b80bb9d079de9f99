//! Answers a prompt about a text with a chat model that may search the web, keeps the search results, and classifies the answer.
//!
//! [`LangchainSearchAgent`] is the model that Label Studio talks to, [`Options`] are its flags. [`Agent`] asks the chat model
//! and runs the searches that it wants, [`Search`] runs one.

mod agent;
mod model;
mod options;
mod outputs;
mod search;
mod structured;

pub use agent::{Agent, Answered, Limits};
pub use model::LangchainSearchAgent;
pub use options::{AgentArgs, ControlArgs, ModelArgs, Options, SearchArgs};
pub use search::{Search, SearchEngine, snippets};

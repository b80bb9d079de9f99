//! Chat models behind the API of OpenAI, which most others have taken over.

mod args;
mod client;
mod endpoint;
mod pieces;
mod reply;
mod wire;

pub use args::{BudgetArgs, ChatArgs};
pub use client::ChatClient;
pub use endpoint::ChatEndpoint;
pub use reply::{ChatChoice, ChatError, ChatReply};

//! Chat models behind OpenAI's API, which most other providers have too: questions, answers, prompts and costs.

mod args;
mod budget;
mod client;
mod endpoint;
mod pieces;
mod prompt;
mod prompt_args;
mod reply;
mod wire;

pub use args::{BudgetArgs, ChatArgs};
pub use budget::{Budget, BudgetError, Prices, Usage};
pub use client::ChatClient;
pub use endpoint::{AzureDeployment, ChatEndpoint};
pub use prompt::{
    TaskFieldError, constant_text, prompt_lines, prompt_pair, shown_value, text_area_lines,
    typed_prompt,
};
pub use prompt_args::{DefaultPromptError, PromptArgs, TemplateArgs};
pub use reply::{ChatChoice, ChatError, ChatReply};

//! Flags of the backend.

use std::{num::NonZeroU32, time::Duration};

use clap::{ArgAction, Args, builder::FalseyValueParser};
use label_studio_services::{
    BudgetArgs, ChatArgs, PromptArgs, Secret, ServiceArgs, first_filled, parse_seconds,
};

/// Chat model, search engine and limits of the agent.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Whom questions go to.
    #[command(flatten)]
    pub model: ModelArgs,

    /// Limits of costs.
    #[command(flatten)]
    pub budget: BudgetArgs,

    /// Search engine.
    #[command(flatten)]
    pub search: SearchArgs,

    /// Limits of the agent.
    #[command(flatten)]
    pub agent: AgentArgs,

    /// Question, and the controls of its answer.
    #[command(flatten)]
    pub controls: ControlArgs,

    /// Time-outs, retries and proxy of services.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Chat model, which must be able to call tools
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chat model", mut_arg("temperature", |arg| arg.default_value("0")))]
pub struct ModelArgs {
    /// Chat model and its settings.
    #[command(flatten)]
    pub chat: ChatArgs,

    #[arg(long, env = "OPENAI_API_BASE", hide = true)]
    openai_api_base: Option<String>,
}

/// Search engine; without one the model answers without searching
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// Key for Google's Custom Search; needs the id, too
    #[arg(long, env = "GOOGLE_API_KEY", hide_env_values = true)]
    pub google_api_key: Option<Secret>,

    /// Id of a Programmable Search Engine of Google
    #[arg(long, env = "GOOGLE_CSE_ID")]
    pub google_cse_id: Option<String>,

    /// Address of Google's Custom Search API
    #[arg(
        long,
        env = "GOOGLE_SEARCH_URL",
        default_value = "https://customsearch.googleapis.com/customsearch/v1"
    )]
    pub google_search_url: String,

    /// Address of a SearxNG instance that answers in JSON; used when Google is not set up, needs no key
    #[arg(long, env = "SEARXNG_URL")]
    pub searxng_url: Option<String>,
}

/// Limits of the agent
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Agent")]
pub struct AgentArgs {
    /// Most rounds of searches before the model must answer
    #[arg(long, env = "MAX_STEPS", default_value = "8")]
    pub max_steps: NonZeroU32,

    /// Seconds for one task, all its steps together
    #[arg(long, env = "TASK_TIMEOUT", default_value = "60", value_parser = parse_seconds)]
    pub task_timeout: Duration,

    /// Have the model answer in JSON with one of the choices, instead of matching its text with them
    #[arg(long, env = "STRUCTURED_OUTPUT", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub structured_output: bool,
}

/// Question, and the controls of its answer
#[derive(Debug, Clone, Args)]
#[command(
    next_help_heading = "Prompt",
    mut_arg("prompt_template", |arg| arg.default_value("{prompt}{text}").hide_default_value(false))
)]
pub struct ControlArgs {
    /// How a question is made.
    #[command(flatten)]
    pub prompt: PromptArgs,

    /// Start of the name of the `TextArea` that the answer goes to
    #[arg(long, env = "RESPONSE_PREFIX", default_value = "response")]
    pub response_prefix: String,

    /// Start of the name of the `TextArea` that search results go to
    #[arg(long, env = "SNIPPETS_PREFIX", default_value = "snippets")]
    pub snippets_prefix: String,
}

impl ModelArgs {
    /// Returns the base address of a server other than OpenAI's, from either variable.
    pub fn base_url(&self) -> Option<&str> {
        first_filled([&self.chat.openai_base_url, &self.openai_api_base])
    }
}

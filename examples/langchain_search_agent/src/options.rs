//! Flags of the backend.

use std::{num::NonZeroU32, time::Duration};

use clap::{ArgAction, Args, builder::FalseyValueParser};
use label_studio_services::{Secret, ServiceArgs};

/// Whom questions go to, what it may search with, and how far it may go.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "a doc comment would replace the help of the flags"
    )]
    pub chat: ChatArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "a doc comment would replace the help of the flags"
    )]
    pub search: SearchArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "a doc comment would replace the help of the flags"
    )]
    pub agent: AgentArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "a doc comment would replace the help of the flags"
    )]
    pub prompt: PromptArgs,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "a doc comment would replace the help of the flags"
    )]
    pub service: ServiceArgs,
}

/// Whom questions go to
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chat model")]
pub struct ChatArgs {
    /// Key for the chat model; needed for OpenAI itself
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    pub openai_api_key: Option<Secret>,

    /// Base address of another server with OpenAI's API, such as <http://localhost:11434/v1>
    #[arg(long, env = "OPENAI_BASE_URL")]
    pub openai_base_url: Option<String>,

    #[arg(long, env = "OPENAI_API_BASE", hide = true)]
    openai_api_base: Option<String>,

    /// Name of the model, one that can call tools
    #[arg(long, env = "OPENAI_MODEL", default_value = "gpt-3.5-turbo")]
    pub openai_model: String,

    /// From 0, always the likeliest answer, to 2
    #[arg(long, env = "TEMPERATURE", default_value = "0")]
    pub temperature: f64,

    /// Tokens of questions and answers together, until the backend is restarted
    #[arg(long, env = "TOKEN_BUDGET")]
    pub token_budget: Option<u64>,
}

/// What the model may search with; it answers without searching when nothing is set
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// Key for Google's Custom Search; needs the id, too
    #[arg(long, env = "GOOGLE_API_KEY", hide_env_values = true)]
    pub google_api_key: Option<Secret>,

    /// Id of a Programmable Search Engine of Google
    #[arg(long, env = "GOOGLE_CSE_ID")]
    pub google_cse_id: Option<String>,

    /// Where Google's Custom Search is asked
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

/// How far the model may go
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Agent")]
pub struct AgentArgs {
    /// How often the model may ask for searches before it has to answer
    #[arg(long, env = "MAX_STEPS", default_value = "8")]
    pub max_steps: NonZeroU32,

    /// Seconds for one task, all its steps together
    #[arg(long, env = "TASK_TIMEOUT", default_value = "60", value_parser = seconds)]
    pub task_timeout: Duration,

    /// Have the model answer in JSON with one of the choices, instead of matching its text with them
    #[arg(long, env = "STRUCTURED_OUTPUT", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub structured_output: bool,
}

/// How a question is made
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Prompt")]
pub struct PromptArgs {
    /// Start of the name of the `TextArea` that holds the prompt, in any case
    #[arg(long, env = "PROMPT_PREFIX", default_value = "prompt")]
    pub prompt_prefix: String,

    /// Start of the name of the `TextArea` that the answer goes to
    #[arg(long, env = "RESPONSE_PREFIX", default_value = "response")]
    pub response_prefix: String,

    /// Start of the name of the `TextArea` that search results go to
    #[arg(long, env = "SNIPPETS_PREFIX", default_value = "snippets")]
    pub snippets_prefix: String,

    /// Template with the fields {prompt} and {text}
    #[arg(long, env = "PROMPT_TEMPLATE", default_value = "{prompt}{text}")]
    pub prompt_template: String,

    /// Prompt for projects where nobody has typed one; without it nothing is predicted there
    #[arg(long, env = "DEFAULT_PROMPT")]
    pub default_prompt: Option<String>,
}

impl ChatArgs {
    /// Returns the base address of a server other than OpenAI's.
    pub fn base_url(&self) -> Option<&str> {
        let urls = [&self.openai_base_url, &self.openai_api_base];
        let mut urls = urls.into_iter().flatten().map(|url| url.trim());
        urls.find(|url| !url.is_empty())
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<f64>().ok();
    seconds
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "say a number of seconds above 0".to_owned())
}

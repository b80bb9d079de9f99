//! Flags of backends that ask a chat model.

use clap::Args;

use super::budget::{Budget, Prices};
use crate::{Secret, first_filled};

/// Chat model and its settings
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chat model")]
pub struct ChatArgs {
    /// Key for the chat model; OpenAI and Azure need one
    #[arg(long, env = "OPENAI_API_KEY", hide_env_values = true)]
    pub openai_api_key: Option<Secret>,

    /// Name of the model; gpt-3.5-turbo by default for OpenAI
    #[arg(long, env = "OPENAI_MODEL")]
    pub openai_model: Option<String>,

    /// Base address of another server with OpenAI's API, with its /v1, such as <http://localhost:11434/v1>
    #[arg(long, env = "OPENAI_BASE_URL")]
    pub openai_base_url: Option<String>,

    /// Sampling temperature, from 0 (always the most likely answer) to 2
    #[arg(long, env = "TEMPERATURE", default_value = "0.7")]
    pub temperature: f64,
}

/// Limits of costs
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct BudgetArgs {
    /// Tokens of questions and answers together, until the backend is restarted
    #[arg(long, env = "TOKEN_BUDGET")]
    pub token_budget: Option<u64>,

    /// Costs until the backend is restarted, in the currency of the prices
    #[arg(long, env = "COST_BUDGET", requires_all = ["input_price", "output_price"])]
    pub cost_budget: Option<f64>,

    /// Price of a million tokens of questions
    #[arg(long, env = "INPUT_PRICE")]
    pub input_price: Option<f64>,

    /// Price of a million tokens of answers
    #[arg(long, env = "OUTPUT_PRICE")]
    pub output_price: Option<f64>,
}

impl ChatArgs {
    /// Model of OpenAI that is asked when none is named.
    pub const OPENAI_MODEL: &str = "gpt-3.5-turbo";

    /// Returns the key, unless it is empty.
    pub fn key(&self) -> Option<&Secret> {
        self.openai_api_key.as_ref().filter(|key| !key.is_empty())
    }

    /// Returns the name of the model, if one is named.
    pub fn model(&self) -> Option<&str> {
        first_filled([&self.openai_model])
    }

    /// Returns the base address of a server other than OpenAI's.
    pub fn base_url(&self) -> Option<&str> {
        first_filled([&self.openai_base_url])
    }
}

impl BudgetArgs {
    /// Returns the budget that the flags mean.
    pub fn budget(&self) -> Budget {
        let prices = Prices {
            input: self.input_price.unwrap_or_default(),
            output: self.output_price.unwrap_or_default(),
        };
        Budget::new()
            .with_max_tokens(self.token_budget)
            .with_max_cost(self.cost_budget, prices)
    }
}

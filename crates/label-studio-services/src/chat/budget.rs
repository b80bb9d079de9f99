//! Limits of tokens and costs.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Tokens that an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the question.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
}

/// Prices per million tokens, in any currency.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// A million tokens of questions.
    pub input: f64,
    /// A million tokens of answers.
    pub output: f64,
}

/// Why a paid request is refused.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The tokens are used up.
    #[error("the budget of {limit} tokens is used up; raise it or restart the backend")]
    Tokens {
        /// Tokens that may be used.
        limit: u64,
    },
    /// The money is spent.
    #[error("the budget of {limit} is spent; raise it or restart the backend")]
    Cost {
        /// Money that may be spent.
        limit: f64,
    },
}

/// Bounds the tokens and costs of a process. Requests in flight when a limit is reached are still paid for.
#[derive(Debug, Default)]
pub struct Budget {
    max_tokens: Option<u64>,
    max_cost: Option<f64>,
    prices: Prices,
    used: Mutex<Usage>,
}

impl Budget {
    /// Creates a budget without limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bounds the tokens of questions and answers together.
    #[must_use]
    pub fn with_max_tokens(mut self, max_tokens: Option<u64>) -> Self {
        self.max_tokens = max_tokens;
        self
    }

    /// Bounds the costs.
    #[must_use]
    pub fn with_max_cost(mut self, max_cost: Option<f64>, prices: Prices) -> Self {
        self.max_cost = max_cost;
        self.prices = prices;
        self
    }

    /// Fails when a limit is reached: to be asked before every paid request.
    pub fn check(&self) -> Result<(), BudgetError> {
        let used = self.used();
        if let Some(limit) = self.max_tokens
            && used.input_tokens.saturating_add(used.output_tokens) >= limit
        {
            return Err(BudgetError::Tokens { limit });
        }
        if let Some(limit) = self.max_cost
            && self.cost() >= limit
        {
            return Err(BudgetError::Cost { limit });
        }
        Ok(())
    }

    /// Books what an answer took.
    pub fn spend(&self, usage: Usage) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.input_tokens = used.input_tokens.saturating_add(usage.input_tokens);
        used.output_tokens = used.output_tokens.saturating_add(usage.output_tokens);
    }

    /// Returns what was used so far.
    pub fn used(&self) -> Usage {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was spent so far.
    pub fn cost(&self) -> f64 {
        let used = self.used();
        let cost = |tokens: u64, price: f64| as_f64(tokens) * price / 1e6;
        cost(used.input_tokens, self.prices.input) + cost(used.output_tokens, self.prices.output)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a budget has fewer than 2^53 tokens"
)]
const fn as_f64(tokens: u64) -> f64 {
    tokens as f64
}

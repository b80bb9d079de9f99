//! Answers of chat models.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::budget::{BudgetError, Usage};
use crate::ServiceError;

/// Why a chat model gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The service could not be asked, or did not answer.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Nothing more may be spent.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The answer says that something went wrong.
    #[error("{url} answered with an error: {message}")]
    Refused {
        /// Address that was asked.
        url: String,
        /// Message of the error.
        message: String,
    },
    /// The answer has no `choices`.
    #[error("{url} answered without any choice")]
    NoChoice {
        /// Address that was asked.
        url: String,
    },
}

/// Answer of a chat model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChatReply {
    /// One answer, or as many as were asked for with `n`.
    pub choices: Vec<ChatChoice>,
    /// Tokens that it took; estimated when the service does not say.
    pub usage: Usage,
}

/// One answer of a chat model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChatChoice {
    /// The whole message: `role`, `content`, and `tool_calls` where the model wants some.
    pub message: Value,
    /// Why the answer ended: `stop`, `length`, `tool_calls`; `None` when time ran out while it was streamed.
    pub finish_reason: Option<String>,
}

impl ChatReply {
    /// Returns the text of every choice.
    pub fn texts(&self) -> Vec<String> {
        self.choices.iter().map(ChatChoice::text).collect()
    }

    /// Returns whether some answer was cut off by a limit of tokens or of time.
    pub fn is_cut(&self) -> bool {
        self.choices
            .iter()
            .any(|choice| matches!(choice.finish_reason.as_deref(), None | Some("length")))
    }
}

impl ChatChoice {
    /// Returns the text of the answer, empty when there is none. Parts of a text are put together.
    pub fn text(&self) -> String {
        match &self.message["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect(),
            _ => String::new(),
        }
    }
}

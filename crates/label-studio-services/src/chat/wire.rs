//! Completions in the wire format.

use serde::Deserialize;
use serde_json::Value;

use super::{
    budget::Usage,
    reply::{ChatChoice, ChatError, ChatReply},
};
use crate::ServiceRequest;

/// An answer, or a piece of one.
#[derive(Deserialize)]
pub(super) struct Completion {
    #[serde(default)]
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Option<CompletionUsage>,
    error: Option<Value>,
}

/// One of the answers that were asked for with `n`.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub(super) index: usize,
    #[serde(default)]
    pub(super) message: Value,
    #[serde(default)]
    pub(super) delta: Value,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CompletionUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl Completion {
    /// Returns the completion unless it says that something went wrong.
    pub(super) fn checked(self, request: &ServiceRequest) -> Result<Self, ChatError> {
        let Some(error) = self.error.as_ref().filter(|error| !error.is_null()) else {
            return Ok(self);
        };
        let message = error["message"].as_str().or_else(|| error.as_str());
        let message = message.map_or_else(|| error.to_string(), str::to_owned);
        Err(ChatError::Refused {
            url: request.shown_url(),
            message: request.redact(&message),
        })
    }

    pub(super) fn into_reply(self, request: &ServiceRequest) -> Result<ChatReply, ChatError> {
        let Self {
            mut choices, usage, ..
        } = self.checked(request)?;
        if choices.is_empty() {
            return Err(ChatError::NoChoice {
                url: request.shown_url(),
            });
        }
        choices.sort_by_key(|choice| choice.index);
        let choice = |choice: Choice| ChatChoice {
            message: choice.message,
            // A server that names no reason has come to an end all the same.
            finish_reason: choice.finish_reason.or_else(|| Some("stop".to_owned())),
        };
        Ok(ChatReply {
            choices: choices.into_iter().map(choice).collect(),
            usage: usage.map_or_else(Usage::default, Usage::from),
        })
    }
}

impl From<CompletionUsage> for Usage {
    fn from(usage: CompletionUsage) -> Self {
        Self {
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
        }
    }
}

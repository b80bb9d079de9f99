//! Streamed answers.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::{
    reply::{ChatChoice, ChatError, ChatReply},
    wire::{Choice, Completion},
};
use crate::{ServiceError, ServiceRequest};

const END: &str = "[DONE]";
/// Places among the answers that were asked for with `n`; others are not believed.
const MAX_CHOICES: usize = 128;

/// The part of a streamed answer that has arrived.
pub(super) struct Pieces<'a> {
    request: &'a ServiceRequest,
    reply: ChatReply,
    failure: Option<ChatError>,
    has_ended: bool,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(request: &'a ServiceRequest) -> Self {
        Self {
            request,
            reply: ChatReply::default(),
            failure: None,
            has_ended: false,
        }
    }

    /// Adds the data of an event; breaks off at the end and at what is not part of an answer.
    pub(super) fn add(&mut self, data: &str) -> ControlFlow<()> {
        if data == END {
            self.has_ended = true;
            return ControlFlow::Break(());
        }
        let completion: Result<Completion, _> = serde_json::from_str(data);
        let url = || self.request.shown_url();
        let completion = completion
            .map_err(|source| ServiceError::Json { url: url(), source }.into())
            .and_then(|completion| completion.checked(self.request));
        match completion {
            Ok(completion) => {
                for piece in completion.choices {
                    self.add_choice(piece);
                }
                if let Some(usage) = completion.usage {
                    self.reply.usage = usage.into();
                }
                ControlFlow::Continue(())
            }
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn add_choice(&mut self, piece: Choice) {
        if piece.index >= MAX_CHOICES {
            return;
        }
        let choices = &mut self.reply.choices;
        while choices.len() <= piece.index {
            choices.push(ChatChoice {
                message: json!({ "role": "assistant", "content": "" }),
                finish_reason: None,
            });
        }
        let choice = &mut choices[piece.index];
        // A service that does not stream sends a message instead of its pieces.
        let text = piece.delta["content"].as_str();
        if let Some(text) = text.or_else(|| piece.message["content"].as_str())
            && let Value::String(content) = &mut choice.message["content"]
        {
            content.push_str(text);
        }
        if piece.finish_reason.is_some() {
            choice.finish_reason = piece.finish_reason;
        }
    }

    pub(super) fn has_text(&self) -> bool {
        let mut choices = self.reply.choices.iter();
        self.failure.is_none() && choices.any(|choice| !choice.text().is_empty())
    }

    /// Returns what has arrived, though more was to come.
    pub(super) fn cut(self) -> ChatReply {
        self.reply
    }

    /// Returns the answer, unless the connection ended before it did.
    pub(super) fn complete(mut self) -> Result<ChatReply, ChatError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let url = self.request.shown_url();
        for choice in &mut self.reply.choices {
            if choice.finish_reason.is_none() {
                if !self.has_ended {
                    return Err(ServiceError::Truncated { url }.into());
                }
                choice.finish_reason = Some("stop".to_owned());
            }
        }
        if self.reply.choices.is_empty() {
            return Err(ChatError::NoChoice { url });
        }
        Ok(self.reply)
    }
}

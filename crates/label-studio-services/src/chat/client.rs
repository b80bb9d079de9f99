//! Client of chat models.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    budget::{Budget, Usage},
    endpoint::ChatEndpoint,
    pieces::Pieces,
    reply::{ChatError, ChatReply},
    wire::Completion,
};
use crate::{
    CacheKey, Deadline, ResponseCache, ServiceClient, ServiceError, ServiceRequest, http::Events,
};

/// Characters of English per token, for answers that do not say what they took.
const CHARS_PER_TOKEN: usize = 4;

/// Client of a chat model, within a budget. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChatClient {
    client: ServiceClient,
    endpoint: ChatEndpoint,
    budget: Arc<Budget>,
    cache: Option<Arc<ResponseCache>>,
    is_streaming: bool,
}

impl ChatClient {
    /// Creates a client without limits and without cache.
    pub fn new(client: ServiceClient, endpoint: ChatEndpoint) -> Self {
        Self {
            client,
            endpoint,
            budget: Arc::default(),
            cache: None,
            is_streaming: false,
        }
    }

    /// Books what answers take, and asks nothing more when it is used up.
    #[must_use]
    pub fn with_budget(mut self, budget: Arc<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// Answers what was asked before from a cache.
    #[must_use]
    pub fn with_cache(mut self, cache: Option<Arc<ResponseCache>>) -> Self {
        self.cache = cache;
        self
    }

    /// Has answers sent piece by piece, so that a service that hangs is noticed early and what has arrived when time
    /// runs out is not lost. Only texts are put together again: an agent that calls tools does not stream.
    #[must_use]
    pub fn with_streaming(mut self, is_streaming: bool) -> Self {
        self.is_streaming = is_streaming;
        self
    }

    /// Asks. `body` is that of OpenAI's `chat/completions`: `model`, `messages`, and whatever else the server knows.
    pub fn ask(&self, body: &Value, deadline: Deadline) -> Result<ChatReply, ChatError> {
        let request = self.endpoint.request();
        let question = body.to_string();
        let key = CacheKey::new(request.identity().chain([&*question]));
        if let Some(reply) = self.kept(&key) {
            return Ok(reply);
        }
        self.budget.check()?;
        let mut reply = if self.is_streaming {
            self.ask_streaming(&request, body, deadline)?
        } else {
            self.ask_whole(&request.json(body), deadline)?
        };
        if reply.usage == Usage::default() {
            reply.usage = estimate(body, &reply);
        }
        self.budget.spend(reply.usage);
        let is_complete = reply.choices.iter().all(|c| c.finish_reason.is_some());
        if let Some(cache) = &self.cache
            && is_complete
            && let Ok(json) = serde_json::to_string(&reply)
        {
            cache.insert(key, json);
        }
        Ok(reply)
    }

    fn kept(&self, key: &CacheKey) -> Option<ChatReply> {
        let json = self.cache.as_ref()?.get(key)?;
        serde_json::from_str(&json).ok()
    }

    fn ask_whole(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
    ) -> Result<ChatReply, ChatError> {
        let response = self.client.send(request, deadline)?;
        let content_type = response.header("content-type").unwrap_or_default();
        if !content_type.starts_with("text/event-stream") {
            return response.json::<Completion>()?.into_reply(request);
        }
        // Some servers, such as `transformers serve`, stream whether they are asked to or not.
        let mut pieces = Pieces::new(request);
        let mut events = Events::new(&*response.body);
        while let Ok(Some(data)) = events.next()
            && pieces.add(&data).is_continue()
        {}
        pieces.complete()
    }

    fn ask_streaming(
        &self,
        request: &ServiceRequest,
        body: &Value,
        deadline: Deadline,
    ) -> Result<ChatReply, ChatError> {
        let mut body = body.clone();
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
        let request = request.clone().json(&body);
        let mut pieces = Pieces::new(&request);
        let streamed = self
            .client
            .events(&request, deadline, &mut |data| pieces.add(data));
        match streamed {
            Err(ServiceError::Timeout { .. }) if pieces.has_text() && deadline.is_over() => {
                tracing::warn!(
                    url = request.shown_url(),
                    "time ran out, keeping what has arrived of the answer"
                );
                Ok(pieces.cut())
            }
            Err(error) => Err(error.into()),
            Ok(()) => pieces.complete(),
        }
    }
}

fn estimate(body: &Value, reply: &ChatReply) -> Usage {
    let tokens = |n_chars: usize| (n_chars / CHARS_PER_TOKEN) as u64;
    let n_answered = reply.texts().iter().map(String::len).sum();
    Usage {
        input_tokens: tokens(body["messages"].to_string().len()),
        output_tokens: tokens(n_answered),
    }
}

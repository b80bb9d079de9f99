//! Mocks of a chat model and for Google, and the backend that asks them.

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::{Answer, MockService, Received, flags};
use langchain_search_agent::LangchainSearchAgent;

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const GOOGLE: &str = "/customsearch/v1";

pub(crate) struct Stage {
    pub(crate) client: TestClient,
    pub(crate) service: MockService,
}

impl Stage {
    /// A chat model that searches once if there is something to find, and then says `reply`.
    pub(crate) fn start(more: &[&str], reply: String, found: Option<String>) -> Self {
        Self::with(more, move |request| match request.path() {
            GOOGLE => {
                Answer::json(&json!({ "items": [{ "snippet": found }, { "title": "no snippet" }] }))
            }
            _ if found.is_some() && messages(request).len() == 1 => {
                wants(&[("google_search_snippets", "words")])
            }
            _ => says(&reply),
        })
    }

    pub(crate) fn with(
        more: &[&str],
        answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let service = MockService::start(answer);
        let (chat, google) = (service.url("/v1"), service.url(GOOGLE));
        let mut args = vec![
            "--openai-base-url",
            &chat,
            "--openai-api-key",
            "chat-key",
            "--google-search-url",
            &google,
        ];
        if !more.contains(&"--searxng-url") && !more.contains(&"--no-search") {
            args.extend(["--google-api-key", "google-key", "--google-cse-id", "cse-1"]);
        }
        args.extend(more.iter().filter(|flag| **flag != "--no-search"));
        let searxng = service.url("/searx/");
        for arg in &mut args {
            if *arg == "MOCK" {
                *arg = &searxng;
            }
        }
        let options = flags::parse(&args);
        let client =
            TestClient::new(LangchainSearchAgent::new(options, NetworkOptions::default()).unwrap());
        Self { client, service }
    }

    /// The bodies of all questions to the chat model so far.
    pub(crate) fn chats(&self) -> Vec<Value> {
        self.service
            .received_at(CHAT)
            .iter()
            .map(Received::json)
            .collect()
    }
}

pub(crate) fn messages(request: &Received) -> Vec<Value> {
    request.json()["messages"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The chat model answers.
pub(crate) fn says(text: &str) -> Answer {
    let message = json!({ "role": "assistant", "content": text });
    completion(&message, "stop")
}

/// The chat model wants tools to be called: names and what to search for.
pub(crate) fn wants(calls: &[(&str, &str)]) -> Answer {
    let call = |(idx, (name, query)): (usize, &(&str, &str))| {
        let arguments = json!({ "__arg1": query }).to_string();
        json!({ "id": format!("call_{idx}"), "type": "function", "function": { "name": name, "arguments": arguments } })
    };
    let calls: Vec<_> = calls.iter().enumerate().map(call).collect();
    let message = json!({ "role": "assistant", "content": null, "tool_calls": calls });
    completion(&message, "tool_calls")
}

pub(crate) fn completion(message: &Value, reason: &str) -> Answer {
    Answer::json(&json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-3.5-turbo-0125",
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": reason }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 },
    }))
}

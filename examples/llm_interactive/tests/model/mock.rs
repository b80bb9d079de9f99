//! A chat model on this machine, and a backend that asks it.

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    Resources, ServerArgs, Value, json, store::MemoryStore, testing::TestClient,
};
use label_studio_testing::{Answer, MockService, flags};
use llm_interactive::{OpenAIInteractive, Options};

/// What the backend is given as its key.
pub(crate) const KEY: &str = "sk-do-not-show";

/// A prompt and a text area on a text, and whatever else a test wants.
pub(crate) fn label_config(more: &str) -> String {
    format!(
        r#"<View><Text name="text" value="$text"/><TextArea name="prompt" toName="text"/>{more}</View>"#
    )
}

pub(crate) const RESPONSE: &str = r#"<TextArea name="response" toName="text"/>"#;
pub(crate) const TOPIC: &str = r#"<Choices name="topic" toName="text" choice="multiple">
    <Choice value="sports"/><Choice value="politics"/><Choice value="technology"/></Choices>"#;

/// A chat model that always says the same.
pub(crate) fn saying(text: &str) -> MockService {
    MockService::with_answers([completion(&[text])])
}

/// An answer of a chat model.
pub(crate) fn completion(texts: &[&str]) -> Answer {
    let choice = |(index, text): (usize, &&str)| {
        let message = json!({ "role": "assistant", "content": text });
        json!({ "index": index, "message": message, "finish_reason": "stop" })
    };
    let choices: Vec<_> = texts.iter().enumerate().map(choice).collect();
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 });
    Answer::json(&json!({ "object": "chat.completion", "choices": choices, "usage": usage }))
}

/// Flags as on a command line, the chat model's address among them.
pub(crate) fn options(chat_model: &MockService, more: &[&str]) -> Options {
    let base_url = chat_model.url("/v1");
    let mut args = vec!["--openai-api-key", KEY, "--openai-base-url", &base_url];
    args.extend(more);
    flags::parse(&args)
}

/// A backend that asks the chat model.
pub(crate) fn backend(chat_model: &MockService, more: &[&str]) -> TestClient {
    backend_with(chat_model, more, Resources::new(MemoryStore::default()))
}

pub(crate) fn backend_with(
    chat_model: &MockService,
    more: &[&str],
    resources: Resources,
) -> TestClient {
    let model =
        OpenAIInteractive::new(options(chat_model, more), NetworkOptions::default()).unwrap();
    TestClient::with_resources(model, &ServerArgs::default(), resources)
}

/// A request of an annotator who has just typed a prompt.
pub(crate) fn asked(label_config: &str, data: &Value, prompt: &str) -> Value {
    let context = json!({ "result": [{
        "from_name": "prompt", "to_name": "text", "type": "textarea", "value": { "text": [prompt] },
    }] });
    json!({
        "tasks": [{ "id": 1, "data": data }],
        "project": "1.1",
        "label_config": label_config,
        "params": { "context": context },
    })
}

/// A request for tasks with these texts, their numbers counted from 1; `flags` of the backend must bring the prompt.
pub(crate) fn batch(label_config: &str, texts: &[&str]) -> Value {
    let task = |(idx, text): (usize, &&str)| json!({ "id": idx + 1, "data": { "text": text } });
    let tasks: Vec<_> = texts.iter().enumerate().map(task).collect();
    json!({ "tasks": tasks, "project": "1.1", "label_config": label_config, "params": { "context": null } })
}

/// The flags that make a prompt the default one.
pub(crate) fn default_prompt(prompt: &str) -> [&str; 4] {
    [
        "--use-internal-prompt-template",
        "0",
        "--default-prompt",
        prompt,
    ]
}

/// The value of the region that a control has in the first prediction.
pub(crate) fn value(answer: &Value, control: &str) -> Value {
    let result = answer["results"][0]["result"].as_array().unwrap();
    let mut regions = result
        .iter()
        .filter(|region| region["from_name"] == control);
    regions
        .next()
        .map(|region| region["value"].clone())
        .unwrap_or_default()
}

/// The text of the last question.
pub(crate) fn question(chat_model: &MockService) -> String {
    let body = chat_model.received().last().unwrap().json();
    let message = body["messages"].as_array().unwrap().last().unwrap().clone();
    let content = &message["content"];
    content
        .as_str()
        .or_else(|| content[0]["text"].as_str())
        .unwrap()
        .to_owned()
}

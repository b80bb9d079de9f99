//! What the Python original asked the chat model and answered, recorded call by call, with a real `openai` client.

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    Resources, ServerArgs, Value, json, serde_json, store::MemoryStore, testing::TestClient,
};
use label_studio_testing::{Answer, MockService, flags};
use llm_interactive::OpenAIInteractive;

const VECTORS: &str = include_str!("vectors/python_original.json");
/// What the recordings hold in place of the chat model's address.
const MOCK: &str = "STANDIN";

/// A chat model that gives the recorded replies.
fn chat_model(case: &Value) -> MockService {
    let choice = |text: &Value| json!({ "finish_reason": "stop", "message": { "role": "assistant", "content": text } });
    let choices: Vec<_> = case["replies"]
        .as_array()
        .unwrap()
        .iter()
        .map(choice)
        .collect();
    MockService::start(move |_| Answer::json(&json!({ "choices": choices })))
}

fn backend(case: &Value, chat_model: &MockService) -> TestClient {
    let base_url = chat_model.url("/v1");
    let mut flags = [
        "--openai-api-key",
        "sk-test",
        "--openai-base-url",
        &base_url,
    ]
    .map(str::to_owned)
    .to_vec();
    for (name, setting) in case["environment"].as_object().unwrap() {
        flags.push(format!("--{}", name.to_lowercase().replace('_', "-")));
        flags.push(setting.as_str().unwrap().replace(MOCK, &chat_model.url("")));
    }
    let model = OpenAIInteractive::new(flags::parse(&flags), NetworkOptions::default()).unwrap();
    let resources = Resources::new(MemoryStore::default());
    TestClient::with_resources(model, &ServerArgs::default(), resources)
}

#[test]
fn asks_and_answers_like_the_python_original() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    for case in cases {
        let name = &case["name"];
        let chat_model = chat_model(case);
        let backend = backend(case, &chat_model);
        for call in case["calls"].as_array().unwrap() {
            let body = call["body"].to_string().replace(MOCK, &chat_model.url(""));
            let headers = [("content-type", "application/json")];
            let (status, mut answer) =
                backend.send("POST", call["path"].as_str().unwrap(), &headers, body);
            for prediction in answer
                .get_mut("results")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                for region in prediction["result"].as_array_mut().unwrap() {
                    region["id"] = "U".into();
                }
            }
            assert_eq!(
                (json!(status), &answer),
                (call["status"].clone(), &call["answer"]),
                "{name}"
            );
        }
        let mut asked: Vec<_> = chat_model
            .received()
            .iter()
            .map(|request| {
                json!({
                    "target": request.target,
                    "authorization": request.header("authorization"),
                    "api-key": request.header("api-key"),
                    "json": request.json(),
                })
            })
            .collect();
        let mut recorded = case["asked"].as_array().unwrap().clone();
        // Tasks are asked about side by side.
        let question = |request: &Value| request["json"]["messages"].to_string();
        asked.sort_by_key(question);
        recorded.sort_by_key(question);
        assert_eq!(asked, recorded, "{name}");
    }
}

//! Recorded requests of Label Studio, what the Python original asked the chat model, and what it answered.

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    ProjectId, Resources, ServerArgs, Value, json, serde_json,
    store::{MemoryStore, SqliteStore, Store},
    testing::TestClient,
};
use label_studio_testing::{Answer, MockService, flags};
use llm_interactive::{OpenAIInteractive, Options};

const VECTORS: &str = include_str!("vectors/llm_interactive.json");
/// What the recorded answers hold in place of an id.
const ANY_ID: &str = "<uuid4>";
/// Cases that record a defect of the original, and what is done instead.
const DEFECTS: [(&str, &str); 4] = [
    (
        "unknown_provider",
        "the backend does not start, or says what the extra params may name",
    ),
    (
        "http_500",
        "only what may pass is asked again, four times in all, and the cause is told",
    ),
    ("mixed_case_names", "names may have capitals"),
    (
        "missing_text_field",
        "nothing is asked about the word None: the task's error names the field",
    ),
];

fn vectors(part: &str) -> Vec<Value> {
    let mut vectors: Value = serde_json::from_str(VECTORS).unwrap();
    serde_json::from_value(vectors[part].take()).unwrap()
}

fn case(name: &str) -> Value {
    vectors("cases")
        .into_iter()
        .find(|case| case["name"] == name)
        .unwrap()
}

/// A chat model that gives the recorded replies.
fn chat_model(case: &Value) -> MockService {
    let choice = |text: &Value| json!({ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } });
    let choices: Vec<_> = case["llm_replies"]
        .as_array()
        .unwrap()
        .iter()
        .map(choice)
        .collect();
    let fails = case["name"] == "http_500";
    MockService::start(move |_| {
        if fails {
            let error = json!({ "error": { "message": "The server had an error" } });
            return Answer::json(&error)
                .with_status(500)
                .with_header("retry-after", "0");
        }
        Answer::json(&json!({ "object": "chat.completion", "choices": choices, "usage": null }))
    })
}

/// The flags that have the effect of the recorded settings, with the mock's address in the place of the provider's.
fn recorded_flags(case: &Value, chat_model: &MockService) -> Vec<String> {
    let mut flags = vec!["--openai-api-key".to_owned(), "sk-test".to_owned()];
    let settings = case["class_settings"].as_object().unwrap();
    for (name, setting) in settings {
        let setting = match setting {
            Value::String(text) => text.clone(),
            setting => setting.to_string(),
        };
        flags.push(format!("--{}", name.to_lowercase().replace('_', "-")));
        flags.push(
            setting
                .replace("https://res.openai.azure.com", &chat_model.url(""))
                .replace("http://ollama:11434", &chat_model.url("")),
        );
    }
    if !settings.contains_key("OPENAI_PROVIDER") {
        flags.extend(["--openai-base-url".to_owned(), chat_model.url("/v1")]);
    }
    flags
}

fn post(case: &Value, chat_model: &MockService) -> (u16, Value) {
    let options = flags::parse(&recorded_flags(case, chat_model));
    let resources = Resources::new(MemoryStore::default());
    if let Some(params) = case["extra_params"].as_object() {
        let params = Value::Object(params.clone()).to_string();
        resources
            .store
            .set(&ProjectId::parse("5.1"), "extra_params", &params)
            .unwrap();
    }
    let client = TestClient::with_resources(
        OpenAIInteractive::new(options, NetworkOptions::default()).unwrap(),
        &ServerArgs::default(),
        resources,
    );
    let (status, mut answer) = client.post("/predict", &case["request"]);
    for prediction in answer["results"].as_array_mut().into_iter().flatten() {
        for region in prediction["result"].as_array_mut().unwrap() {
            assert_eq!(
                region["id"].as_str().map(str::len),
                Some(36),
                "an id is a UUID"
            );
            region["id"] = ANY_ID.into();
        }
    }
    (status, answer)
}

/// Compares the requests that the chat model got with the recorded ones, field by field.
fn assert_asked_as_recorded(case: &Value, chat_model: &MockService) {
    let name = &case["name"];
    let (asked, recorded) = (
        chat_model.received(),
        case["llm_requests"].as_array().unwrap(),
    );
    assert_eq!(asked.len(), recorded.len(), "{name}");
    for (asked, recorded) in asked.iter().zip(recorded) {
        let url = recorded["url"].as_str().unwrap();
        let path = &url[url
            .find("://")
            .map(|at| at + 3)
            .and_then(|at| Some(at + url[at..].find('/')?))
            .unwrap()..];
        assert_eq!(asked.method, recorded["method"], "{name}");
        assert_eq!(asked.target, path, "{name}");
        for (header, value) in recorded["headers"].as_object().unwrap() {
            assert_eq!(asked.header(header), value.as_str(), "{name}: {header}");
        }
        assert_eq!(asked.json(), recorded["json"], "{name}");
    }
}

#[test]
fn asks_and_answers_as_recorded() {
    let mut n_checked = 0;
    for case in vectors("cases") {
        let name = case["name"].as_str().unwrap();
        if DEFECTS.iter().any(|(defect, _)| *defect == name) {
            continue;
        }
        let chat_model = chat_model(&case);
        let (status, answer) = post(&case, &chat_model);
        assert_eq!(json!(status), case["status"], "{name}: {answer}");
        assert_asked_as_recorded(&case, &chat_model);
        if status == 200 {
            assert_eq!(answer, case["response"], "{name}");
        }
        n_checked += 1;
    }
    assert_eq!(
        n_checked + DEFECTS.len(),
        vectors("cases").len(),
        "every named defect is a case"
    );
}

#[test]
fn a_label_config_without_a_place_for_answers_is_named() {
    let case = case("only_prompt");
    let (_, answer) = post(&case, &chat_model(&case));
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("nothing to fill") && detail.contains("<Choices>, <TextArea>"),
        "{detail}"
    );
}

#[test]
fn an_unknown_provider_is_named() {
    let case = case("unknown_provider");
    let chat_model = chat_model(&case);
    let refused = flags::try_parse::<Options>(&recorded_flags(&case, &chat_model))
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.contains("'foo' for '--openai-provider")
            && refused.contains("openai, azure, ollama"),
        "{refused}"
    );
    let mut elsewhere = case.clone();
    elsewhere["class_settings"] = json!({});
    elsewhere["extra_params"] = json!({ "provider": "foo" });
    let (status, answer) = post(&elsewhere, &chat_model);
    assert_eq!(json!(status), case["status"]);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("\"foo\" is unknown"),
        "{answer}"
    );
    assert!(chat_model.received().is_empty());
}

#[test]
fn a_server_error_is_asked_again_and_told() {
    let mut case = case("http_500");
    let chat_model = chat_model(&case);
    let (status, answer) = post(&case, &chat_model);
    assert_eq!(json!(status), case["status"]);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("answered 500; The server had an error"),
        "{answer}"
    );
    let request = case["llm_requests"][0].clone();
    case["llm_requests"] = vec![request; 4].into();
    assert_asked_as_recorded(&case, &chat_model);
}

#[test]
fn names_may_have_capitals() {
    let case = case("mixed_case_names");
    let chat_model = chat_model(&case);
    let (status, answer) = post(&case, &chat_model);
    assert_eq!(status, 200, "{answer}");
    let region = |name: &str, text: &str| json!({ "id": ANY_ID, "from_name": name, "to_name": "Text", "type": "textarea", "value": { "text": [text] } });
    assert_eq!(
        answer["results"][0]["result"],
        json!([region("Response", "tech"), region("Prompt", "Q")])
    );
}

#[test]
fn events_store_the_prompt_as_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let options = flags::parse(&["--openai-api-key", "sk-test"]);
    let resources = Resources::new(SqliteStore::new(folder.path()));
    let client = TestClient::with_resources(
        OpenAIInteractive::new(options, NetworkOptions::default()).unwrap(),
        &ServerArgs::default(),
        resources,
    );
    let stored = |key: &str| {
        SqliteStore::new(folder.path())
            .get(&ProjectId::parse("5"), key)
            .unwrap()
    };
    for event in vectors("webhook") {
        let name = event["name"].as_str().unwrap();
        if name == "line_removed_only" {
            let mut longer = event["body"].clone();
            longer["annotation"]["result"][0]["value"]["text"] = json!(["p1\np2"]);
            client.post("/webhook", &longer);
            assert_eq!(stored("prompt").as_deref(), Some("p1\np2"));
        }
        let (status, answer) = client.post("/webhook", &event["body"]);
        assert_eq!(
            (json!(status), &answer),
            (event["status"].clone(), &event["response"]),
            "{name}"
        );
        // The original keeps the longer prompt when lines are taken away.
        assert_eq!(stored("prompt").as_deref(), Some("p1"), "{name}");
        let version = stored("model_version").unwrap_or_else(|| "0.0.1".to_owned());
        assert_eq!(version, event["stored_model_version"], "{name}");
    }
}

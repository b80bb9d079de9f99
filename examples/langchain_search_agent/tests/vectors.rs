//! The recorded requests and answers of the Python original.

mod mock;

use label_studio_ml::{Value, json, serde_json};
use mock::Stage;

const VECTORS: &str = include_str!("vectors/langchain_search_agent.json");
/// What the recorded answers hold in place of an id.
const ANY_ID: &str = "<4 hex>";

fn without_ids(mut results: Value) -> Value {
    let mut ids = Vec::new();
    for prediction in results.as_array_mut().unwrap() {
        let id = &mut prediction["result"][0]["id"];
        let is_hex = |id: &str| id.len() == 4 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_hex(id.as_str().unwrap()), "{id}");
        ids.push(id.take());
        *id = ANY_ID.into();
    }
    assert!(
        ids.windows(2).all(|pair| pair[0] == pair[1]),
        "one prompt, one id"
    );
    results
}

#[test]
fn answers_as_recorded() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let config = vectors["config"].as_str().unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let reply = case["agent_reply"].as_str().unwrap().to_owned();
        // The recorded tool output is what the search returns as its one snippet.
        let found = case["tool_output"].as_str().map(str::to_owned);
        let stage = Stage::start(&[], reply, found);
        if name == "stored_prompt" {
            let annotation =
                json!({ "result": [{ "from_name": "prompt", "value": { "text": ["stored"] } }] });
            let event = json!({
                "action": "ANNOTATION_CREATED",
                "project": { "id": 1, "label_config": config },
                "annotation": annotation,
            });
            assert_eq!(stage.client.post("/webhook", &event).0, 201);
        }
        let answer = stage.client.predict(&json!({
            "tasks": case["tasks"],
            "project": "1.1",
            "label_config": config,
            "params": { "context": case["context"] },
        }));
        assert_eq!(
            without_ids(answer["results"].clone()),
            case["result"],
            "{name}"
        );
        let mut asked: Vec<_> = stage
            .chats()
            .into_iter()
            .filter(|body| body["messages"].as_array().unwrap().len() == 1)
            .map(|body| json!([body["messages"][0]["role"], body["messages"][0]["content"]]))
            .collect();
        // Tasks are asked about at the same time.
        asked.sort_by_key(Value::to_string);
        assert_eq!(json!(asked), case["user_messages"], "{name}");
    }
}

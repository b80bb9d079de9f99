//! The rules of the simplest backend, through the whole server.

use std::time::Duration;

use label_studio_ml::{Value, json, testing::TestClient};
use the_simplest_backend::TheSimplestBackend;

const TEXT: &str = r#"<View><Text name="text" value="$text"/>
    <Choices name="mood" toName="text"><Choice value="Positive"/><Choice value="Negative"/></Choices>
    <Labels name="label" toName="text"><Label value="PER"/></Labels>
    <TextArea name="answer" toName="text"/></View>"#;
const IMAGE: &str = r#"<View><RectangleLabels name="label" toName="image"><Label value="Cat"/></RectangleLabels>
    <Image name="image" value="$image"/></View>"#;

fn check(label_config: &str, data: &Value, context: &Value, expected: &Value) {
    let client = TestClient::new(TheSimplestBackend::default());
    let answer = client.predict(&json!({
        "tasks": [{ "id": 1, "data": data }],
        "project": "1.1",
        "label_config": label_config,
        "params": { "context": context },
    }));
    let regions: Vec<_> = answer["results"][0]["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["value"])
        .collect();
    assert_eq!(json!(regions), *expected);
    assert_eq!(answer["results"][0]["model_version"], "trivial-v1");
}

#[test]
fn text_gets_a_choice_a_span_and_an_echo() {
    check(
        TEXT,
        &json!({ "text": "Gut is GOOD — 日本" }),
        &Value::Null,
        &json!([
            { "choices": ["Positive"] },
            { "start": 0, "end": 3, "text": "Gut", "labels": ["PER"] },
            { "text": ["echo: Gut is GOOD — 日本"] },
        ]),
    );
}

#[test]
fn a_drawn_span_is_taken_over_in_characters() {
    let context = json!({ "result": [{ "value": { "start": 4, "end": 6 } }] });
    check(
        TEXT,
        &json!({ "text": "日本語 né ok" }),
        &context,
        &json!([
            { "choices": ["Negative"] },
            { "start": 4, "end": 6, "text": "né", "labels": ["PER"] },
            { "text": ["echo: 日本語 né ok"] },
        ]),
    );
}

#[test]
fn a_drawn_rectangle_keeps_its_place() {
    let context = json!({ "result": [{ "value": { "x": 1.5, "y": 2.5, "width": 9 } }] });
    check(
        IMAGE,
        &json!({ "image": "/data/upload/1/a.png" }),
        &context,
        &json!([{ "x": 1.5, "y": 2.5, "width": 30.0, "height": 40.0, "rotation": 0, "rectanglelabels": ["Cat"] }]),
    );
}

#[test]
fn start_training_makes_a_new_version() {
    let client = TestClient::new(TheSimplestBackend {
        fit_time: Duration::ZERO,
        ..TheSimplestBackend::default()
    });
    let project = json!({ "id": 1, "label_config": TEXT });
    let (status, answer) = client.post(
        "/webhook",
        &json!({ "action": "ANNOTATION_CREATED", "project": project }),
    );
    assert_eq!((status, &answer["result"]["fits"]), (201, &json!(1)));
    client.post(
        "/webhook",
        &json!({ "action": "START_TRAINING", "project": project }),
    );
    let (_, setup) = client.post("/setup", &json!({ "project": "1.5", "schema": TEXT }));
    assert_eq!(setup, json!({ "model_version": "trivial-v3" }));
}

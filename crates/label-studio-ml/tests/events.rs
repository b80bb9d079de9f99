//! Events of every version of Label Studio, and what a model is asked to learn from them.

use std::sync::mpsc::{Receiver, channel};

use label_studio_ml::{Action, Event, FnModel, Value, json, testing::TestClient};

const CONFIG: &str = r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"#;

/// A server, and the events that its model learns from.
fn client() -> (TestClient, Receiver<Event>) {
    let (send, events) = channel();
    let model = FnModel::new("Learner").update_fn(move |_, event| {
        send.send(event.clone())?;
        Ok(json!({ "learnt": event.action.as_str() }))
    });
    (TestClient::new(model), events)
}

#[test]
fn annotations_created_at_once_are_creations() {
    let (client, events) = client();
    let body = json!({
        "action": "ANNOTATIONS_CREATED",
        "project": { "id": 1, "label_config": CONFIG },
        "annotation": [{ "id": 5, "task": 8, "result": [] }, { "id": 6, "task": 9, "result": [] }],
        "task": [{ "id": 8, "data": { "t": "a" } }, { "id": 9, "data": { "t": "b" } }],
    });
    let (status, answer) = client.post("/webhook", &body);
    assert_eq!((status, &answer["status"]), (201, &json!("ok")), "{answer}");
    for (annotation, task) in [(5, "a"), (6, "b")] {
        let event = events.recv().unwrap();
        assert_eq!(event.action, Action::AnnotationCreated);
        assert_eq!(event.payload["annotation"]["id"], annotation);
        assert_eq!(event.payload["task"]["data"]["t"], task);
    }
}

#[test]
fn train_is_a_request_to_train() {
    let (client, events) = client();
    let body = json!({
        "annotations": [],
        "project": "7.1796048385",
        "label_config": CONFIG,
        "params": { "login": null, "password": null },
    });
    let (status, answer) = client.post("/train", &body);
    assert_eq!((status, &answer["status"]), (201, &json!("ok")), "{answer}");
    let event = events.recv().unwrap();
    assert_eq!(event.action, Action::StartTraining);
    let project: &Value = &event.payload["project"];
    assert_eq!(project, &json!({ "id": "7", "label_config": CONFIG }));
}

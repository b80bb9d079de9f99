//! Labelling tasks without a server, with a mock of Label Studio.

mod support;

use std::fs;

use label_studio_ml::{
    Resources, Value, json,
    sdk::{Client, ClientOptions},
    serde_json,
    store::MemoryStore,
};
use label_studio_testing::{Answer, MockService};
use support::{data_url, tiny_yolo};
use yolo::{TaskToLabel, label_tasks, read_tasks};

#[test]
fn lists_of_tasks_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let read = |json: &str| {
        let path = folder.path().join("tasks.json");
        fs::write(&path, json).unwrap();
        read_tasks(path.to_str().unwrap()).map_err(|error| error.to_string())
    };
    let by_id = |id| TaskToLabel { id, data: None };
    assert_eq!(read_tasks("1, 2,3").unwrap(), [1, 2, 3].map(by_id));
    assert_eq!(read("[4, 5]").unwrap(), [4, 5].map(by_id));
    let data = json!({ "image": "a" }).as_object().cloned();
    assert_eq!(
        read("[{\"id\": 6, \"data\": {\"image\": \"a\"}}]").unwrap(),
        [TaskToLabel { id: 6, data }]
    );
    for (json, message) in [
        ("{}", "holds no list of tasks"),
        ("[]", "the list of tasks is empty"),
        ("[{\"id\": 1}]", "lacks its id or its data"),
        ("[\"1\"]", "neither an id nor an object"),
        ("[", "is not JSON"),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    let error = read_tasks("missing.json").unwrap_err().to_string();
    assert!(
        error.contains("neither the number of a task nor an existing file"),
        "{error}"
    );
}

#[test]
fn predictions_are_stored_and_failures_named() {
    let label_config = "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"label\" toName=\"image\" \
        model_score_threshold=\"0.3\"><Label value=\"car\"/><Label value=\"person\"/><Label value=\"traffic light\"/>\
        <Label value=\"Persian_cat\"/></RectangleLabels></View>";
    let label_studio =
        MockService::start(move |request| match request.path().trim_end_matches('/') {
            "/api/projects/3" => {
                Answer::json(&json!({ "id": 3, "title": "t", "label_config": label_config }))
            }
            "/api/tasks/7" => {
                Answer::json(&json!({ "id": 7, "data": { "image": data_url("wide") } }))
            }
            "/api/tasks/8" => {
                Answer::json(&json!({ "id": 8, "data": { "image": "data:image/png;base64," } }))
            }
            "/api/predictions" => Answer::json(&json!({ "id": 1 })).with_status(201),
            _ => Answer::status(404),
        });
    let root = tempfile::tempdir().unwrap();
    let model = tiny_yolo(
        root.path(),
        &[("yolov8m.onnx", "tiny-detect.onnx")],
        |_, _| {},
    );
    let resources = Resources {
        client: Some(
            Client::new(ClientOptions::new(label_studio.url("")).with_token("key")).unwrap(),
        ),
        ..Resources::new(MemoryStore::default())
    };
    let tasks = read_tasks("7,8,9").unwrap();
    let failures = label_tasks(&model, resources, 3, &tasks).unwrap();
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(
        failures[0].starts_with("task 8: ") && failures[1].starts_with("task 9: "),
        "{failures:?}"
    );
    let stored = label_studio
        .received()
        .into_iter()
        .filter(|request| request.method == "POST");
    let stored: Vec<Value> = stored
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(
        (
            stored.len(),
            &stored[0]["task"],
            &stored[0]["model_version"]
        ),
        (1, &json!(7), &json!("yolo"))
    );
    assert!(!stored[0]["result"].as_array().unwrap().is_empty());
}

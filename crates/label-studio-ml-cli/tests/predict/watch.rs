//! `--watch`: tasks and annotations that arrive.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::json;

use crate::command::Stage;

#[test]
fn new_tasks_are_predicted_and_new_annotations_trained_on() {
    let stage = Stage::with_texts(["a", "b"]);
    let mut command = stage.command(&["--watch", "--poll-every", "0.02", "--train-every", "2"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut check_next = |expected: &str| {
        let line = lines.next().unwrap().unwrap();
        assert_eq!(line, format!("project 1: {expected}"));
    };
    check_next("2 tasks predicted with model version v1");
    stage
        .label_studio
        .table()
        .add_tasks([json!({ "text": "c" })]);
    check_next("1 tasks predicted with model version v1");
    let mood = json!([{
        "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": ["Sad"] },
    }]);
    stage.label_studio.table().annotate(1, &mood);
    stage.label_studio.table().annotate(2, &mood);
    check_next("3 tasks predicted with model version v2");
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(stage.versions(), vec![vec!["v1", "v2"]; 3]);
    let events = stage.backend.service.received_at("/webhook");
    assert_eq!(events.len(), 1);
    let event = events[0].json();
    assert_eq!(event["action"], "START_TRAINING");
    assert_eq!(event["project"]["id"], 1);
    // Nothing was asked to reach this machine: no webhook, no backend of the project.
    let table = stage.label_studio.table();
    assert!(table.webhooks.is_empty() && table.backends.is_empty());
}

//! A process that is killed in the middle of a training.

use std::{path::Path, thread};

use label_studio_ml::{Value, json, testing::TestProgram};
use label_studio_testing::{MockLabelStudio, RunningServer};
use label_studio_training::state_file;
use tempfile::tempdir;

const CONFIG: &str = r#"<View><Text name="text" value="$text"/><Choices name="label" toName="text">
  <Choice value="positive"/><Choice value="negative"/></Choices></View>"#;
const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

fn start(folder: &Path, label_studio: &MockLabelStudio) -> RunningServer {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/model");
    let (folder, url) = (folder.to_str().unwrap(), label_studio.url(""));
    let mut command = TestProgram::new(env!("CARGO_BIN_EXE_bert_classifier")).command([
        ("MODEL_DIR", folder),
        ("LABEL_STUDIO_URL", &url),
        ("LABEL_STUDIO_API_KEY", TOKEN),
        ("BASELINE_MODEL_NAME", model.to_str().unwrap()),
        ("LEARNING_RATE", "5e-3"),
        // Enough that the training goes on while it is looked at.
        ("NUM_TRAIN_EPOCHS", "60"),
    ]);
    RunningServer::start(command.args(["--host", "127.0.0.1", "--port", "0"]))
}

/// Returns version and choices of two texts.
fn predicted(server: &RunningServer) -> [Value; 3] {
    let tasks = ["again zorp", "quim once more"].map(|text| json!({ "data": { "text": text } }));
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": CONFIG });
    let (status, answer) = server.send("POST", "/predict", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
    [
        "0/model_version",
        "0/result/0/value/choices/0",
        "1/result/0/value/choices/0",
    ]
    .map(|path| answer.pointer(&format!("/results/{path}")).unwrap().clone())
}

#[test]
fn a_training_whose_process_is_killed_goes_on_after_the_restart() {
    let task = |idx: usize| {
        let (word, label) = [("zorp", "positive"), ("quim", "negative")][idx % 2];
        let region = json!({ "from_name": "label", "to_name": "text", "type": "choices", "value": { "choices": [label] } });
        json!({ "data": { "text": format!("text {idx} is {word}") }, "annotations": [{ "result": [region] }] })
    };
    let tasks: Vec<Value> = (0..16).map(task).collect();
    let label_studio = MockLabelStudio::start(CONFIG, &json!(tasks));
    let folder = tempdir().unwrap();
    let state = state_file(folder.path(), "bert_classifier", "1");
    let server = start(folder.path(), &label_studio);
    assert_eq!(predicted(&server)[0], "BertClassifier-v0.0.1");
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    assert_eq!(server.send("POST", "/webhook", &event).unwrap().0, 201);
    // The state is there from the end of the first epoch to that of the training.
    while !state.is_file() {
        thread::yield_now();
    }
    // Ends the process by SIGKILL.
    drop(server);
    assert!(state.is_file(), "the training had not ended");
    assert!(
        !folder.path().join("finetuned_model").exists(),
        "no half model"
    );

    let server = start(folder.path(), &label_studio);
    while predicted(&server)[0] != "BertClassifier-v0.0.2" {
        thread::yield_now();
    }
    let expected = ["BertClassifier-v0.0.2", "positive", "negative"];
    assert_eq!(predicted(&server), expected.map(|text| json!(text)));
    assert!(
        !state.is_file(),
        "a training that has ended leaves no state"
    );
}

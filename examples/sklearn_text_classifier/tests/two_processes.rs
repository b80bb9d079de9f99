//! Two processes on one `MODEL_DIR`: each uses what the other has trained.

use std::{path::Path, process::Command, thread};

use label_studio_ml::{Value, json, testing::TestProgram};
use label_studio_testing::{MockLabelStudio, RunningServer};
use tempfile::tempdir;

const CONFIG: &str = r#"<View><Text name="text" value="$text"/><Choices name="mood" toName="text">
  <Choice value="Good"/><Choice value="Bad"/></Choices></View>"#;
const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

fn start(folder: &Path, label_studio: &MockLabelStudio) -> RunningServer {
    let (folder, url) = (folder.to_str().unwrap(), label_studio.url(""));
    let program = TestProgram::new(env!("CARGO_BIN_EXE_sklearn_text_classifier"));
    let mut command: Command = program.command([
        ("MODEL_DIR", folder),
        ("LABEL_STUDIO_URL", &url),
        ("LABEL_STUDIO_API_KEY", TOKEN),
    ]);
    RunningServer::start(command.args(["--host", "127.0.0.1", "--port", "0"]))
}

/// Returns version and choices of two texts.
fn predicted(server: &RunningServer) -> [Value; 3] {
    let tasks = ["sunny and warm", "dark rain"].map(|text| json!({ "data": { "text": text } }));
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
fn each_process_predicts_with_what_the_other_has_trained() {
    let task = |text: &str, mood: &str| {
        let region = json!({ "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": [mood] } });
        json!({ "data": { "text": text }, "annotations": [{ "result": [region] }] })
    };
    let good = [
        task("sunny and warm", "Good"),
        task("cold dark rain", "Bad"),
    ];
    let label_studio = MockLabelStudio::start(CONFIG, &json!(good));
    let folder = tempdir().unwrap();
    let servers = [(); 2].map(|()| start(folder.path(), &label_studio));
    let [one, two] = &servers;
    for server in &servers {
        assert_eq!(predicted(server)[0], "SklearnTextClassifier-v0.0.1");
    }
    let bad = [
        task("sunny and warm", "Bad"),
        task("cold dark rain", "Good"),
    ];
    let trainings = [(one, good, ["Good", "Bad"]), (two, bad, ["Bad", "Good"])];
    for (n_trained, (trained, tasks, [first, second])) in trainings.into_iter().enumerate() {
        label_studio.set_tasks(&json!(tasks));
        let event =
            json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
        assert_eq!(trained.send("POST", "/webhook", &event).unwrap().0, 201);
        let version = format!("SklearnTextClassifier-v0.0.{}", n_trained + 2);
        // On a busy machine the training goes on after its answer.
        while predicted(trained)[0] != version {
            thread::yield_now();
        }
        for server in &servers {
            assert_eq!(
                predicted(server),
                [json!(version), json!(first), json!(second)]
            );
        }
    }
}

//! What the log says of a training that a model declines.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use label_studio_ml::{Action, FnModel, ServerArgs, Value, json, serve};
use label_studio_testing::RunningServer;

/// Model folder, for the test that is run as another process.
const FOLDER: &str = "LABEL_STUDIO_ML_TEST_JOB_LOG";

/// Does nothing in a run of all tests. As another process it is a server whose model returns for an
/// annotation what the annotation says.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that is another process takes no arguments"
)]
fn other_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let args = ServerArgs {
        port: 0,
        host: "127.0.0.1".to_owned(),
        model_dir: PathBuf::from(&folder),
        ..ServerArgs::default()
    };
    let model = FnModel::new("Echo").update_fn(|_, event| {
        Ok(match event.action {
            Action::AnnotationCreated => event.payload["annotation"]["returned"].clone(),
            _ => Value::Null,
        })
    });
    serve(&args, move || Ok(model)).unwrap();
}

fn start(folder: &Path) -> RunningServer {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "other_process", "--nocapture"]);
    RunningServer::start(command.env(FOLDER, folder))
}

#[test]
fn a_training_that_the_model_declines_is_not_logged_as_one_that_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let ignored = "the model returned nothing for the event";
    let cases = [
        (json!({ "epochs": 3 }), "job ended: done"),
        (Value::Null, ignored),
        (json!({}), ignored),
        (json!([]), ignored),
        (json!(""), ignored),
        (
            json!({ "skipped": "4 labelled tasks are not a multiple of 5" }),
            "nothing was trained: 4 labelled tasks are not a multiple of 5",
        ),
        (json!(0), "job ended: done"),
    ];
    for (returned, expected) in cases {
        let event = json!({
            "action": "ANNOTATION_CREATED",
            "annotation": { "id": 1, "returned": returned },
            "project": { "id": 1, "label_config": "<View/>" },
        });
        let (status, _) = server.send("POST", "/webhook", &event).unwrap();
        assert_eq!(status, 201);
        let line = server.wait_for_log("took=");
        let ends = line.contains("[INFO]") && line.contains(expected) && line.contains(" job=");
        assert!(ends, "{expected}: {line}");
    }
}

#[test]
fn an_event_is_logged_with_its_job_project_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let project = json!({ "id": 7, "label_config": "<View/>" });
    let event = json!({ "action": "START_TRAINING", "project": project });
    server.send("POST", "/webhook", &event).unwrap();
    for expected in [
        "job started job=1 project=\"7\" kind=\"START_TRAINING\" attempt=1",
        "the model returned nothing for the event job=1 took=",
    ] {
        server.wait_for_log(expected);
    }
}

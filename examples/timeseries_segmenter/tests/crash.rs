//! A process that is killed in the middle of a training, and projects that are apart.

use std::{path::Path, thread};

use label_studio_ml::{Value, json, testing::TestProgram};
use label_studio_testing::{MockLabelStudio, RunningServer};
use label_studio_training::state_file;
use tempfile::tempdir;

const CONFIG: &str = r#"<View>
  <TimeSeriesLabels name="label" toName="ts"><Label value="Run"/></TimeSeriesLabels>
  <TimeSeries name="ts" valueType="json" value="$ts"><Channel column="value"/></TimeSeries>
</View>"#;
const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

fn start(folder: &Path, label_studio: &MockLabelStudio) -> RunningServer {
    let (folder, url) = (folder.to_str().unwrap(), label_studio.url(""));
    let mut command = TestProgram::new(env!("CARGO_BIN_EXE_timeseries_segmenter")).command([
        ("MODEL_DIR", folder),
        ("LABEL_STUDIO_HOST", &url),
        ("LABEL_STUDIO_API_KEY", TOKEN),
        ("SEQUENCE_SIZE", "20"),
        ("HIDDEN_SIZE", "8"),
        // Enough that the training goes on while it is looked at.
        ("TRAIN_EPOCHS", "60"),
        ("BALANCED_ACCURACY_THRESHOLD", "1.1"),
        ("USE_CLASS_WEIGHTS", "True"),
    ]);
    RunningServer::start(command.args(["--host", "127.0.0.1", "--port", "0"]))
}

/// A series with a step from row 60 to 99.
fn series() -> Value {
    let value = |row: i32| {
        if (60..100).contains(&row) {
            5.0
        } else {
            f64::from(row % 3)
        }
    };
    json!({ "value": (0..400).map(value).collect::<Vec<_>>() })
}

/// Returns the version and the regions of the prediction for a project.
fn predicted(server: &RunningServer, project: &str) -> (Value, Vec<Value>) {
    let task = json!({ "id": 7, "data": { "ts": series() } });
    let body = json!({ "tasks": [task], "project": project, "label_config": CONFIG });
    let (status, mut answer) = server.send("POST", "/predict", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
    let mut prediction = answer["results"][0].take();
    let regions = prediction["result"].as_array().unwrap().clone();
    (prediction["model_version"].take(), regions)
}

#[test]
fn a_training_whose_process_is_killed_goes_on_after_the_restart() {
    let value = json!({ "start": 60, "end": 99, "instant": false, "timeserieslabels": ["Run"] });
    let region = json!({ "from_name": "label", "to_name": "ts", "type": "timeserieslabels", "value": value });
    let task =
        json!({ "id": 1, "data": { "ts": series() }, "annotations": [{ "result": [region] }] });
    let label_studio = MockLabelStudio::start(CONFIG, &json!([task]));
    let folder = tempdir().unwrap();
    let state = state_file(folder.path(), "timeseries_segmenter", "1");
    let server = start(folder.path(), &label_studio);
    assert_eq!(predicted(&server, "1.1").0, "TimeSeriesSegmenter-v0.0.3");
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

    let server = start(folder.path(), &label_studio);
    while predicted(&server, "1.1").0 != "TimeSeriesSegmenter-v0.0.4" {
        thread::yield_now();
    }
    assert!(
        !state.is_file(),
        "a training that has ended leaves no state"
    );
    let (_, regions) = predicted(&server, "1.1");
    let at = |region: &Value, name: &str| region["value"][name].as_i64().unwrap();
    let is_step = |region: &Value| {
        (55..=65).contains(&at(region, "start")) && (95..=105).contains(&at(region, "end"))
    };
    assert!(regions.iter().any(is_step), "{regions:?}");
    let (version, regions) = predicted(&server, "2.1");
    assert_eq!(
        version, "TimeSeriesSegmenter-v0.0.3",
        "another project learns nothing"
    );
    assert_eq!(regions, Vec::<Value>::new());
}

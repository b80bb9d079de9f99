//! What Label Studio needs of every backend, with a `Repeater`, too.

use std::thread;

use label_studio_ml::{ServerArgs, Task, Value, json, testing::TestClient};
use label_studio_testing::{MockLabelStudio, check_repeater};
use tempfile::tempdir;
use timeseries_segmenter::{Options, TimeSeriesSegmenter, samples};

const CONFIG: &str = r#"<View>
  <TimeSeriesLabels name="label" toName="ts"><Label value="Run"/></TimeSeriesLabels>
  <TimeSeries name="ts" valueType="json" value="$ts"><Channel column="value"/></TimeSeries>
</View>"#;
const PAGES: &str = r#"<View><Repeater on="$pages">
  <TimeSeriesLabels name="label_{{idx}}" toName="ts_{{idx}}"><Label value="Run"/></TimeSeriesLabels>
  <TimeSeries name="ts_{{idx}}" valueType="json" value="$pages[{{idx}}].ts"><Channel column="value"/></TimeSeries>
</Repeater></View>"#;

/// A series with a step from row 30 to 59.
fn series() -> Value {
    let value = |row: i32| if (30..60).contains(&row) { 5 } else { row % 2 };
    json!({ "value": (0..100).map(value).collect::<Vec<_>>() })
}

fn region(suffix: &str, start: u32, end: u32) -> Value {
    let value =
        json!({ "start": start, "end": end, "instant": false, "timeserieslabels": ["Run"] });
    json!({
        "from_name": format!("label{suffix}"), "to_name": format!("ts{suffix}"),
        "type": "timeserieslabels", "value": value,
    })
}

#[test]
fn each_entry_of_a_repeater_is_predicted() {
    let task = json!({
        "id": 1, "data": { "ts": series() }, "annotations": [{ "result": [region("", 30, 59)] }],
    });
    let label_studio = MockLabelStudio::start(CONFIG, &json!([task]));
    let folder = tempdir().unwrap();
    let options = Options {
        start_training_each_n_updates: 1.try_into().unwrap(),
        train_epochs: 30.try_into().unwrap(),
        sequence_size: 20,
        hidden_size: 8,
        balanced_accuracy_threshold: 0.85,
        min_class_f1_threshold: 0.7,
        use_class_weights: true,
    };
    let model = TimeSeriesSegmenter::new(options, folder.path());
    let (args, resources) = (ServerArgs::default(), label_studio.resources());
    let client = TestClient::with_resources(model, &args, resources);
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    let (status, answer) = client.post("/webhook", &event);
    assert_eq!(status, 201, "{answer}");
    let task = json!({ "id": 2, "data": { "ts": series() } });
    let body = json!({ "tasks": [task], "project": "1.1", "label_config": CONFIG });
    // On a busy machine the training goes on after its answer.
    while client.predict(&body)["results"][0]["model_version"] == "TimeSeriesSegmenter-v0.0.3" {
        thread::yield_now();
    }
    check_repeater(&client, &body);
}

#[test]
fn each_entry_of_a_repeater_is_learnt() {
    let result = [region("_0", 30, 59), region("_1", 0, 9)];
    let data = json!({ "pages": [{ "ts": series() }, { "ts": series() }] });
    let task = json!({ "id": 1, "data": data, "annotations": [{ "result": result }] });
    let label_studio = MockLabelStudio::start(PAGES, &json!([task]));
    let project = label_studio.project(PAGES);
    let samples = samples(&project, &[Task::from_value(&task).unwrap()]).unwrap();
    let rows: Vec<Vec<usize>> = samples
        .iter()
        .map(|sample| {
            let classes = sample.classes.iter().enumerate();
            let labelled = classes.filter(|(_, class)| **class == Some(1));
            labelled.map(|(row, _)| row).collect()
        })
        .collect();
    assert_eq!(rows, [(30..60).collect::<Vec<_>>(), (0..10).collect()]);
    project.job().cancel();
    let cancelled = timeseries_segmenter::samples(&project, &[Task::from_value(&task).unwrap()]);
    assert!(cancelled.unwrap_err().to_string().contains("cancelled"));
}

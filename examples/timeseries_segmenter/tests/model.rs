//! The model, with a mock of Label Studio.

use std::{path::Path, sync::Arc};

use label_studio_ml::{
    Action, Event, JobContext, LabelConfig, Model, PredictRequest, Project, ProjectId, Task, Value,
    json, serde_json, testing::TestClient,
};
use label_studio_testing::{MockLabelStudio, check_backend};
use tempfile::tempdir;
use timeseries_segmenter::{Options, TimeSeriesSegmenter};

const CONFIG: &str = r#"<View>
  <TimeSeriesLabels name="label" toName="ts"><Label value="Run"/><Label value="Walk"/></TimeSeriesLabels>
  <TimeSeries name="ts" valueType="json" value="$ts" timeColumn="time">
    <Channel column="speed"/><Channel column="noise"/>
  </TimeSeries>
</View>"#;
const N_ROWS: i64 = 120;

fn options() -> Options {
    Options {
        start_training_each_n_updates: 1.try_into().unwrap(),
        train_epochs: 40.try_into().unwrap(),
        sequence_size: 20,
        hidden_size: 8,
        balanced_accuracy_threshold: 0.95,
        min_class_f1_threshold: 0.9,
        use_class_weights: true,
    }
}

fn model(folder: &Path) -> TimeSeriesSegmenter {
    TimeSeriesSegmenter::new(options(), folder)
}

/// The ranges of a series: first and last row.
fn ranges(seed: i64) -> [(i64, i64, &'static str); 2] {
    let start = 10 + seed * 7 % 30;
    [(start, start + 24, "Run"), (start + 45, start + 69, "Walk")]
}

/// A series whose speed says what happens, times in steps of 10.
fn series(number: i64) -> Value {
    let noise = |row: i64| {
        let bits = (row * 7919 + number * 104_729 + 17) * 48_271 % 65_521;
        f64::from(i32::try_from(bits).unwrap()) / 65_521.0 - 0.5
    };
    let speed = |row: i64| {
        let ranges = ranges(number);
        let own = ranges
            .iter()
            .find(|(start, end, _)| (*start..=*end).contains(&row));
        let speed = match own {
            Some((_, _, "Run")) => 120.0,
            Some(_) => 60.0,
            None => 0.0,
        };
        speed + 10.0 * noise(row)
    };
    let rows = 0..N_ROWS;
    json!({
        "time": rows.clone().map(|row| 10 * row).collect::<Vec<_>>(),
        "speed": rows.clone().map(speed).collect::<Vec<_>>(),
        "noise": rows.map(|row| 1000.0 + noise(-row)).collect::<Vec<_>>(),
    })
}

fn region(start: impl Into<Value>, end: impl Into<Value>, label: &str) -> Value {
    let value = json!({
        "start": start.into(), "end": end.into(), "instant": false, "timeserieslabels": [label],
    });
    json!({ "id": "r", "from_name": "label", "to_name": "ts", "type": "timeserieslabels", "value": value })
}

fn annotated(seed: i64) -> Value {
    let regions: Vec<_> = ranges(seed)
        .iter()
        .map(|(start, end, label)| region(10 * start, 10 * end, label))
        .collect();
    json!({ "id": seed, "data": { "ts": series(seed) }, "annotations": [{ "id": seed, "result": regions }] })
}

fn annotated_tasks() -> Value {
    (0..8).map(annotated).collect()
}

fn event(action: Action) -> Event {
    Event {
        action,
        payload: json!({ "project": { "id": 1 } }),
    }
}

fn predict(model: &TimeSeriesSegmenter, project: &Project, data: &Value) -> Value {
    let task = Task::from_value(&json!({ "id": 9, "data": { "ts": data } })).unwrap();
    let answer = model
        .predict(project, &PredictRequest::new(vec![task]))
        .unwrap();
    serde_json::to_value(answer).unwrap()[0].take()
}

/// Rows that a prediction has right, as a share.
fn share_of_rows(prediction: &Value, seed: i64) -> f64 {
    let regions = prediction["result"].as_array().unwrap();
    let predicted = |row: i64| {
        let at = |region: &&Value, name: &str| region["value"][name].as_i64().unwrap();
        let own = regions
            .iter()
            .find(|region| (at(region, "start")..=at(region, "end")).contains(&(10 * row)));
        own.and_then(|region| region["value"]["timeserieslabels"][0].as_str())
    };
    let known = |row: i64| {
        let ranges = ranges(seed);
        let own = ranges
            .iter()
            .find(|(start, end, _)| (*start..=*end).contains(&row));
        own.map(|(_, _, label)| *label)
    };
    let n_right = (0..N_ROWS)
        .filter(|row| predicted(*row) == known(*row))
        .count();
    f64::from(u32::try_from(n_right).unwrap()) / 120.0
}

#[test]
fn an_untrained_model_finds_nothing_and_looks_at_the_files() {
    let folder = tempdir().unwrap();
    let client = TestClient::new(model(folder.path()));
    let tasks = [0, 1].map(|seed| json!({ "id": seed, "data": { "ts": series(seed) } }));
    for prediction in check_backend(&client, CONFIG, &tasks) {
        assert_eq!(prediction["model_version"], "TimeSeriesSegmenter-v0.0.3");
        assert_eq!(
            (&prediction["result"], &prediction["score"]),
            (&json!([]), &json!(0.0))
        );
    }
    let bad = json!({ "time": [1, 0], "speed": [1, 1], "noise": [1, 1] });
    let task = |data: &Value| json!({ "id": 1, "data": { "ts": data } });
    let body = json!({ "tasks": [task(&bad), task(&series(0))], "project": "1.1", "label_config": CONFIG });
    let answer = client.predict(&body);
    let error = answer["results"][0]["error"].as_str().unwrap();
    assert!(error.contains("go back"), "{error}");
    assert_eq!(
        answer["results"][1]["result"],
        json!([]),
        "the other task is predicted"
    );
}

#[test]
fn label_configs_without_labels_or_channels_are_refused() {
    let folder = tempdir().unwrap();
    let client = TestClient::new(model(folder.path()));
    let channels = "<Channel column=\"speed\"/><Channel column=\"noise\"/>";
    let labels = "<Label value=\"Run\"/><Label value=\"Walk\"/>";
    for (part, replacement, reason) in [
        (channels, "", "needs channels"),
        (labels, "", "needs labels"),
        ("\"Run\"", "\"__background__\"", "must not have the label"),
    ] {
        let config = CONFIG.replace(part, replacement);
        let (status, answer) =
            client.post("/setup", &json!({ "project": "1.1", "schema": config }));
        assert_eq!(status, 422, "{answer}");
        assert!(answer.to_string().contains(reason), "{answer}");
    }
}

#[test]
fn learns_ranges_and_predicts_those_of_new_tasks() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(CONFIG, &annotated_tasks());
    let job = JobContext::default();
    let resources = Arc::new(studio.resources());
    let project_with = |config: &str| {
        let config = Arc::new(LabelConfig::parse(config).unwrap());
        Project::new(ProjectId::parse("1"), config, Arc::clone(&resources))
    };
    let project = project_with(CONFIG).with_job(job.clone());
    let trained = model(folder.path());
    trained.setup(&project).unwrap();
    let metrics = trained
        .fit(&project, &event(Action::StartTraining))
        .unwrap();
    for name in [
        "precision",
        "recall",
        "f1_score",
        "balanced_accuracy",
        "min_class_f1",
    ] {
        assert!(metrics[name].as_f64().unwrap() > 0.85, "{name}: {metrics}");
    }
    assert_eq!(metrics["per_class_f1"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&metrics["trained_tasks"], &metrics["held_out_tasks"]),
        (&json!(7), &json!(1))
    );
    assert!(
        metrics["loss"].is_f64() && metrics["epoch"].is_u64(),
        "{metrics}"
    );
    assert_eq!(
        project.model_version().unwrap(),
        "TimeSeriesSegmenter-v0.0.4"
    );
    assert!(
        job.report()
            .log
            .unwrap()
            .contains("share of the thresholds")
    );

    let prediction = predict(&trained, &project, &series(100));
    assert!(share_of_rows(&prediction, 100) > 0.9, "{prediction}");
    let region = &prediction["result"][0];
    assert!(
        region["id"].is_string() && region["score"].as_f64() > Some(0.4),
        "{region}"
    );
    assert!(region["value"]["start"].is_i64(), "{region}");
    let score = prediction["score"].as_f64().unwrap();
    assert!((0.4..=1.0).contains(&score), "{score}");
    // Another process, as after a restart.
    let again = predict(&model(folder.path()), &project, &series(100));
    assert_eq!(again["score"], prediction["score"]);

    // Files of all lengths.
    for n_rows in [1, 2, 3, 19, 20, 21] {
        let mut short = series(100);
        for column in short.as_object_mut().unwrap().values_mut() {
            column.as_array_mut().unwrap().truncate(n_rows);
        }
        let prediction = predict(&trained, &project, &short);
        assert!(prediction["result"].is_array(), "{n_rows}: {prediction}");
    }
    let empty = json!({ "time": [], "speed": [], "noise": [] });
    assert_eq!(
        predict(&trained, &project, &empty),
        json!({ "result": [], "score": 0.0 })
    );

    // A label that is gone is not predicted, and new channels are those of no model.
    let without_run = project_with(&CONFIG.replace("<Label value=\"Run\"/>", ""));
    let prediction = predict(&trained, &without_run, &series(100));
    assert!(
        prediction["result"].to_string().contains("Walk"),
        "{prediction}"
    );
    assert!(
        !prediction["result"].to_string().contains("Run"),
        "{prediction}"
    );
    let swapped = CONFIG
        .replace("\"speed\"", "\"x\"")
        .replace("\"noise\"", "\"speed\"");
    let swapped = project_with(&swapped.replace("\"x\"", "\"noise\""));
    assert!(share_of_rows(&predict(&trained, &swapped, &series(100)), 100) > 0.9);
    let others = project_with(&CONFIG.replace("\"noise\"", "\"time\""));
    assert_eq!(
        predict(&trained, &others, &series(100))["result"],
        json!([])
    );
}

#[test]
fn trains_when_it_is_due_and_says_why_it_cannot() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(CONFIG, &json!([annotated(0)]));
    let job = JobContext::default();
    let project = studio.project(CONFIG).with_job(job.clone());
    let two = Options {
        start_training_each_n_updates: 2.try_into().unwrap(),
        train_epochs: 1.try_into().unwrap(),
        ..options()
    };
    let model = TimeSeriesSegmenter::new(two, folder.path());
    let fit = |action| model.fit(&project, &event(action));
    let skipped = json!({ "skipped": "1 labelled tasks are not a multiple of 2" });
    assert_eq!(fit(Action::AnnotationCreated).unwrap(), skipped);
    assert_eq!(fit(Action::AnnotationDeleted).unwrap(), Value::Null);
    assert_eq!(fit(Action::StartTraining).unwrap()["epoch"], 1);
    studio.set_tasks(&json!([annotated(0), annotated(1)]));
    assert_eq!(fit(Action::AnnotationUpdated).unwrap()["epoch"], 1);

    let mut skipped = annotated(2);
    skipped["annotations"][0]["was_cancelled"] = json!(true);
    let mut broken = annotated(3);
    broken["data"]["ts"]["speed"][7] = json!("fast");
    studio.set_tasks(&json!([skipped, broken]));
    let result = fit(Action::AnnotationCreated).unwrap();
    assert!(
        result["skipped"]
            .as_str()
            .unwrap()
            .contains("no annotation"),
        "{result}"
    );
    let error = fit(Action::StartTraining).unwrap_err();
    assert!(error.to_string().contains("no annotation"), "{error}");
    let log = job.report().log.unwrap();
    assert!(
        log.contains("task 3 is left out") && log.contains("\"fast\""),
        "{log}"
    );
}

#[test]
fn what_is_unusual_about_a_series_is_in_the_log() {
    let folder = tempdir().unwrap();
    let mut unusual = annotated(5);
    unusual["data"]["ts"]["speed"][3] = json!(null);
    unusual["data"]["ts"]["time"][119] = json!(99_999);
    let regions = [
        region(0, 50, "Gone"),
        region("monday", "tuesday", "Run"),
        region("100", "200.5", "Run"),
    ];
    unusual["annotations"][0]["result"] = json!(regions);
    let studio = MockLabelStudio::start(CONFIG, &json!([unusual]));
    let job = JobContext::default();
    let project = studio.project(CONFIG).with_job(job.clone());
    let once = Options {
        train_epochs: 1.try_into().unwrap(),
        ..options()
    };
    let model = TimeSeriesSegmenter::new(once, folder.path());
    model.fit(&project, &event(Action::StartTraining)).unwrap();
    let log = job.report().log.unwrap();
    for part in [
        "task 5: 1 values are missing",
        "10 to",
        "1 ranges are left out",
        "6 rows are left out",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn a_cancelled_training_leaves_the_version_before_it() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(CONFIG, &annotated_tasks());
    let job = JobContext::default();
    let project = studio.project(CONFIG).with_job(job.clone());
    let model = model(folder.path());
    model.setup(&project).unwrap();
    job.cancel();
    let error = model
        .fit(&project, &event(Action::StartTraining))
        .unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
    assert_eq!(
        project.model_version().unwrap(),
        "TimeSeriesSegmenter-v0.0.3"
    );
}

//! Tasks, regions and predictions, read and written as Label Studio does.

use bytes::Bytes;
use label_studio_sdk::{Annotation, Prediction, Region, Relation, ResultEntry, Task};
use serde_json::{Value, json};

#[test]
fn a_list_of_tasks_keeps_every_field() {
    let body = Bytes::from_static(
        r#"[{"id": 7, "data": {"text": "né"}, "meta": {"a": [1]}, "file\u005fupload": 3, "annotations": []},
            {"data": {}, "id": "8", "meta": null}]"#
            .as_bytes(),
    );
    let tasks = Task::parse_list(&body).unwrap();
    assert_eq!((tasks[0].id, tasks[0].text("text")), (Some(7), Some("né")));
    assert_eq!(tasks[0].field("meta"), Some(r#"{"a": [1]}"#));
    assert_eq!(tasks[0].field("file_upload"), Some("3"), "an escaped name");
    assert_eq!(
        (tasks[1].id, tasks[1].field("meta"), tasks[1].field("x")),
        (Some(8), Some("null"), None)
    );
    let whole = json!({ "id": 7, "data": { "text": "né" }, "meta": { "a": [1] }, "file_upload": 3, "annotations": [] });
    assert_eq!(tasks[0].to_value(), whole);
    assert_eq!(Task::from_value(&whole).unwrap().to_value(), whole);
    assert_eq!(
        serde_json::from_value::<Task>(whole.clone())
            .unwrap()
            .to_value(),
        whole
    );
}

#[test]
fn a_field_given_twice_counts_as_given_last() {
    let task = Task::parse(r#"{"data": {"a": 1}, "meta": 1, "meta": 2}"#).unwrap();
    assert_eq!(
        (task.field("meta"), &task.to_value()["meta"]),
        (Some("2"), &json!(2))
    );
}

#[test]
fn annotations_are_read_when_asked_for() {
    let task = Task::from_value(&json!({
        "data": {},
        "annotations": [{
            "id": 3,
            "was_cancelled": null,
            "skipped": true,
            "result": [
                { "id": "r1", "from_name": "a", "to_name": "b", "type": "labels", "value": { "labels": ["X", "Y"] }, "origin": "manual" },
                { "type": "relation", "from_id": "r1", "to_id": "r2", "direction": "bi" },
                { "raw": 1 },
            ],
        }, { "result": null }],
    }))
    .unwrap();
    let annotations = task.annotations().unwrap();
    assert!(annotations[0].is_skipped() && !annotations[1].is_skipped());
    assert_eq!(annotations[1], Annotation::default());
    let [
        ResultEntry::Region(region),
        ResultEntry::Relation(relation),
        ResultEntry::Other(raw),
    ] = annotations[0].result.as_slice()
    else {
        panic!("{:?}", annotations[0].result);
    };
    assert_eq!(region.labels().collect::<Vec<_>>(), ["X", "Y"]);
    assert_eq!(region.extra["origin"], "manual");
    assert_eq!(
        (relation.from_id.as_str(), raw),
        ("r1", &json!({ "raw": 1 }))
    );
    assert!(
        Task::new(serde_json::Map::new())
            .annotations()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_prediction_never_says_that_its_version_is_null() {
    let written = |prediction: &Prediction| serde_json::to_value(prediction).unwrap();
    let empty = Prediction::new(Vec::<Region>::new());
    assert_eq!(written(&empty), json!({ "result": [], "score": 0.0 }));
    assert_eq!(
        written(&empty.clone().with_score(f64::NAN)),
        json!({ "result": [], "score": null })
    );
    let versioned = empty.with_model_version("v1");
    assert_eq!(
        written(&versioned),
        json!({ "model_version": "v1", "result": [], "score": 0.0 })
    );
    let read: Prediction =
        serde_json::from_value(json!({ "model_version": null, "result": null })).unwrap();
    assert_eq!((read.model_version, read.result.len()), (None, 0));
}

#[test]
fn scores_of_regions_make_the_mean() {
    let region = || Region::new("a", "b", "choices", json!({}));
    let with_scores =
        Prediction::new([region().with_score(0.5), region(), region().with_score(1.0)]);
    assert_eq!(with_scores.with_mean_score().score, Some(0.75));
    assert_eq!(
        Prediction::new([region()]).with_mean_score().score,
        Some(0.0)
    );
}

#[test]
fn relations_are_flat_entries_of_a_result() {
    let entries: Vec<ResultEntry> = vec![
        Region::new("a", "b", "rectangle", json!({ "x": 1 }))
            .with_id("r1")
            .with_image_size(20, 10)
            .into(),
        Relation::new("r1", "r2").into(),
    ];
    let expected = json!([
        { "id": "r1", "from_name": "a", "to_name": "b", "type": "rectangle", "value": { "x": 1 },
          "original_width": 20, "original_height": 10, "image_rotation": 0 },
        { "type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right" },
    ]);
    assert_eq!(serde_json::to_value(&entries).unwrap(), expected);
}

#[test]
fn what_is_no_task_is_refused_with_its_place() {
    let error = |json: &'static str| {
        Task::parse_list(&Bytes::from_static(json.as_bytes()))
            .unwrap_err()
            .to_string()
    };
    assert!(error(r#"[{"data": {}}, {"id": 1}]"#).starts_with("tasks[1]: missing field `data`"));
    assert!(error(r#"[{"data": []}]"#).starts_with("tasks[0]: invalid type: sequence"));
    assert!(error(r#"{"tasks": []}"#).contains("expected a list of tasks"));
    let not_text = Task::parse_list(&Bytes::from_static(b"[\xff]")).unwrap_err();
    assert_eq!(not_text.to_string(), "body is not valid UTF-8");
    assert!(Task::from_value(&Value::Null).is_err());
}

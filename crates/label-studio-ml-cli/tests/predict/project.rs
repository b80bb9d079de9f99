//! Which tasks are predicted, and what is stored.

use serde_json::json;

use crate::{backend::Backend, command::Stage};

const TEXTS: [&str; 5] = ["a", "b", "c", "d", "e"];

#[test]
fn all_tasks_get_a_prediction_of_the_version() {
    let stage = Stage::with_texts(TEXTS);
    let said = stage.predict(&["--batch-size", "2", "--store-size", "3"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let expected = "project 1: 5 tasks predicted with model version v1\n";
    assert_eq!(said.stdout, expected, "{said:?}");
    stage.check_each_has_one();
    let stored = stage.label_studio.table().tasks[&3]["predictions"][0].clone();
    assert_eq!(stored["score"], 0.5);
    assert_eq!(
        stored["result"][0]["value"],
        json!({ "choices": ["Happy"] })
    );
    let folder = stage.folder.path().join(".label-studio-ml");
    assert_eq!(
        std::fs::read_dir(folder).unwrap().count(),
        0,
        "nothing is left"
    );
}

#[test]
fn tasks_with_a_prediction_of_the_version_are_passed_over() {
    let stage = Stage::with_texts(TEXTS);
    let (old, new) = (
        json!({ "model_version": "v0" }),
        json!({ "model_version": "v1" }),
    );
    stage.label_studio.table().predict(2, old);
    stage.label_studio.table().predict(4, new);
    let said = stage.predict(&[]);
    assert!(
        said.stdout
            .contains("4 tasks predicted with model version v1, 1 had a prediction of it"),
        "{said:?}"
    );
    assert_eq!(stage.backend.n_asked(), 4);
    let versions = stage.versions();
    assert_eq!(versions[1], ["v0", "v1"]);
    assert_eq!(versions[3], ["v1"]);
    "v2".clone_into(&mut stage.backend.version.lock().unwrap());
    stage.predict(&[]);
    assert_eq!(
        stage.versions()[1],
        ["v0", "v1", "v2"],
        "a new version predicts anew"
    );
}

#[test]
fn replacing_deletes_the_old_prediction_of_the_version_only() {
    let stage = Stage::with_texts(TEXTS);
    for version in ["v0", "v1"] {
        let old = json!({ "model_version": version, "score": 0.125 });
        stage.label_studio.table().predict(2, old);
    }
    let said = stage.predict(&["--replace"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let predictions = stage.label_studio.table().tasks[&2]["predictions"].clone();
    let kept: Vec<_> = predictions.as_array().unwrap().iter().collect();
    assert_eq!(kept.len(), 2, "{predictions}");
    assert_eq!(kept[0]["model_version"], "v0");
    assert_eq!(
        (&kept[1]["model_version"], &kept[1]["score"]),
        (&json!("v1"), &json!(0.5))
    );
    assert_eq!(stage.versions()[0], ["v1"]);
}

/// Runs with these arguments and checks which of ten tasks were predicted.
fn check_selection(args: &[&str], expected: &[usize]) {
    let stage = Stage::with_texts(["x"; 10]);
    let item =
        json!({ "filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": 7 });
    let view = json!({ "id": 5, "data": { "filters": { "conjunction": "or", "items": [item] } } });
    stage.label_studio.table().views.push(view);
    let said = stage.predict(args);
    assert_eq!(said.code, Some(0), "{said:?}");
    let versions = stage.versions();
    let predicted = versions
        .iter()
        .enumerate()
        .filter(|(_, made)| !made.is_empty());
    let predicted: Vec<_> = predicted.map(|(idx, _)| idx + 1).collect();
    assert_eq!(predicted, expected, "{args:?}");
}

#[test]
fn tasks_are_selected_by_view_filter_numbers_and_count() {
    let filter =
        r#"[{"filter": "filter:tasks:id", "operator": "less", "type": "Number", "value": 3}]"#;
    check_selection(&["--view", "5"], &[8, 9, 10]);
    check_selection(&["--view", "5", "--limit", "1"], &[8]);
    check_selection(&["--filter", filter], &[1, 2]);
    check_selection(&["--ids", "9,2-4,99"], &[2, 3, 4, 9]);
    check_selection(&["--ids", "9,2-4", "--limit", "2"], &[2, 9]);
    check_selection(&["--limit", "3", "--batch-size", "2"], &[1, 2, 3]);
}

#[test]
fn a_dry_run_counts_and_stores_nothing() {
    let stage = Stage::with_texts(TEXTS);
    stage
        .label_studio
        .table()
        .predict(1, json!({ "model_version": "v1" }));
    let said = stage.predict(&["--dry-run"]);
    assert_eq!(
        said.stdout,
        "would predict 4 of 5 tasks with model version v1\n"
    );
    assert_eq!(said.code, Some(0));
    assert_eq!(stage.backend.n_asked(), 0);
    assert_eq!(stage.versions().concat().len(), 1);
}

#[test]
fn several_predictions_of_a_task_are_stored() {
    let backend = Backend::with(|request| {
        let tasks = request.json()["tasks"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let several = |_| {
            let empty = |version: &str| json!({ "result": [], "model_version": version });
            json!([empty("small"), empty("large")])
        };
        let results: Vec<_> = tasks.iter().map(several).collect();
        (request.path() == "/predict")
            .then(|| label_studio_testing::Answer::json(&json!({ "results": results })))
    });
    let stage = Stage::new(TEXTS, backend);
    let said = stage.predict(&[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(stage.versions(), vec![vec!["small", "large"]; 5]);
    assert!(
        said.stderr
            .contains("predictions have model version small now, and not v1"),
        "{said:?}"
    );
}

#[test]
fn wrong_arguments_are_told_before_anything_is_asked() {
    for (args, expected) in [
        (
            &["--ids", "x"] as &[&str],
            "\"x\" is not the number of a task",
        ),
        (&["--filter", "{"], "--filter is not JSON"),
    ] {
        let stage = Stage::with_texts([]);
        let said = stage.predict(args);
        assert_eq!(said.code, Some(1));
        assert!(said.stderr.contains(expected), "{said:?}");
        assert!(stage.label_studio.service().received().is_empty());
    }
}

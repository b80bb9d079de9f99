//! What goes wrong in the middle: each a clear line, nothing lost, the right exit code.

use std::sync::atomic::{AtomicUsize, Ordering};

use label_studio_testing::{Answer, Received, label_studio::Fault};
use serde_json::json;

use crate::{
    backend::{Backend, LABEL_CONFIG},
    command::Stage,
};

const TEXTS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const SMALL: [&str; 6] = [
    "--batch-size",
    "2",
    "--store-size",
    "2",
    "--concurrency",
    "1",
];

fn is_import(request: &Received) -> bool {
    request.path().ends_with("/import/predictions")
}

#[test]
fn tasks_that_fail_are_retried_and_reported_and_the_others_stored() {
    let stage = Stage::with_texts(["a", "fault", "b", "unknown", "c"]);
    let said = stage.predict(&["--report", "failed.jsonl", "--retries", "1"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.stdout
            .contains("3 tasks predicted with model version v1, 2 failed"),
        "{said:?}"
    );
    assert!(
        said.stdout.contains("task 2: the text cannot be read"),
        "{said:?}"
    );
    let report = stage.report("failed.jsonl");
    assert_eq!(
        report[0],
        json!({ "task": 2, "error": "the text cannot be read" })
    );
    let reason = report[1]["error"].as_str().unwrap();
    assert!(
        reason.starts_with("the prediction does not fit the label config"),
        "{reason}"
    );
    assert_eq!(report.len(), 2);
    assert_eq!(
        stage.backend.n_asked(),
        6,
        "five, and the fault once more; what does not fit is not asked again"
    );
    // The tasks that failed are asked again by the next run, which goes through all.
    stage.label_studio.table().tasks.get_mut(&2).unwrap()["data"]["text"] = "fine".into();
    let said = stage.predict(&[]);
    assert!(
        said.stdout.contains(
            "1 tasks predicted with model version v1, 3 had a prediction of it, 1 failed"
        ),
        "{said:?}"
    );
}

#[test]
fn a_batch_that_the_backend_cannot_answer_is_asked_task_by_task() {
    let backend = Backend::with(|request| {
        let body = request.json();
        let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
        let is_bad = tasks.iter().any(|task| task["data"]["text"] == "bad");
        is_bad.then(|| Answer::json(&json!({ "detail": "out of memory" })).with_status(500))
    });
    let stage = Stage::new(["a", "bad", "b"], backend);
    let said = stage.predict(&[]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.stdout.contains("task 2: answer 500: out of memory"),
        "{said:?}"
    );
    assert_eq!(stage.versions(), [vec!["v1"], vec![], vec!["v1"]]);
}

#[test]
fn a_backend_that_is_not_ready_is_waited_for() {
    let n_calls = AtomicUsize::new(0);
    let backend = Backend::with(move |request| {
        let is_busy = request.path() == "/predict" && n_calls.fetch_add(1, Ordering::SeqCst) < 2;
        is_busy.then(|| {
            let answer = Answer::json(&json!({ "detail": "the model is being loaded" }));
            answer.with_status(503).with_header("retry-after", "0")
        })
    });
    let stage = Stage::new(TEXTS, backend);
    let said = stage.predict(&SMALL);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stderr
            .contains("the model is being loaded; trying again"),
        "{said:?}"
    );
    stage.check_each_has_one();
}

#[test]
fn label_studio_may_be_down_in_the_middle_with_its_answer_lost() {
    let stage = Stage::with_texts(TEXTS);
    let n_imports = AtomicUsize::new(0);
    stage.label_studio.set_fault(move |request| {
        if !is_import(request) {
            return Fault::None;
        }
        match n_imports.fetch_add(1, Ordering::SeqCst) {
            0 => Fault::Instead(Answer::status(502)),
            // Stored, but the answer does not arrive.
            2 => Fault::After(Answer::raw("")),
            _ => Fault::None,
        }
    });
    let said = stage.predict(&SMALL);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stderr.contains("Label Studio does not answer"),
        "{said:?}"
    );
    stage.check_each_has_one();
}

#[test]
fn a_run_that_waited_in_vain_says_how_to_go_on_and_loses_nothing() {
    let stage = Stage::with_texts(TEXTS);
    stage.label_studio.set_fault(|request| {
        let is_down = is_import(request);
        if is_down {
            Fault::Instead(Answer::status(503))
        } else {
            Fault::None
        }
    });
    let args = [&SMALL as &[&str], &["--wait", "0"]].concat();
    let said = stage.predict(&args);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr
            .contains("nothing is lost, and the same command goes on from there"),
        "{said:?}"
    );
    assert!(said.stderr.contains("503"), "{said:?}");
    let n_asked = stage.backend.n_asked();
    stage.label_studio.clear_fault();
    let said = stage.predict(&args);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("6 tasks predicted"), "{said:?}");
    stage.check_each_has_one();
    assert_eq!(
        stage.backend.n_asked(),
        6,
        "{n_asked} before; what was predicted is not asked again"
    );
}

#[test]
fn a_revoked_token_ends_the_run_at_once() {
    let stage = Stage::with_texts(TEXTS);
    stage.label_studio.set_fault(|request| {
        let is_revoked = is_import(request);
        if is_revoked {
            Fault::Instead(Answer::status(401))
        } else {
            Fault::None
        }
    });
    let said = stage.predict(&SMALL);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr
            .contains("Label Studio does not accept the token any more"),
        "{said:?}"
    );
    stage.label_studio.clear_fault();
    assert_eq!(stage.predict(&SMALL).code, Some(0));
    stage.check_each_has_one();
    assert_eq!(stage.backend.n_asked(), 6);
}

#[test]
fn tasks_that_are_deleted_meanwhile_are_left_out() {
    let stage = Stage::new(TEXTS, Backend::start());
    let imported = AtomicUsize::new(0);
    let (sender, receiver) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    stage.label_studio.set_fault(move |request| {
        if is_import(request) && imported.fetch_add(1, Ordering::SeqCst) == 0 {
            sender.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        Fault::None
    });
    let child = std::thread::scope(|scope| {
        let run = scope.spawn(|| stage.predict(&["--store-size", "6"]));
        receiver.recv().unwrap();
        stage.label_studio.table().tasks.remove(&3);
        go.send(()).unwrap();
        run.join().unwrap()
    });
    assert_eq!(child.code, Some(0), "{child:?}");
    assert!(
        child.stderr.contains("task 3 was deleted meanwhile"),
        "{child:?}"
    );
    assert!(
        child
            .stdout
            .contains("5 tasks predicted with model version v1, 1 deleted meanwhile"),
        "{child:?}"
    );
    stage.check_each_has_one();
}

#[test]
fn a_prediction_that_label_studio_refuses_is_found_and_reported() {
    let stage = Stage::with_texts(["a", "b", "refused", "c", "d"]);
    stage.label_studio.table().refused = Some("0.25".to_owned());
    let said = stage.predict(&["--report", "failed.jsonl"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(
        said.stdout
            .contains("4 tasks predicted with model version v1, 1 refused by Label Studio"),
        "{said:?}"
    );
    let report = stage.report("failed.jsonl");
    assert_eq!(report[0]["task"], 3);
    assert!(
        report[0]["error"]
            .as_str()
            .unwrap()
            .contains("the score is wrong"),
        "{report:?}"
    );
    assert_eq!(stage.versions()[2], Vec::<String>::new());
    assert_eq!(stage.versions().concat().len(), 4);
}

#[test]
fn a_label_config_that_changes_meanwhile_is_used_for_all_that_is_stored_after() {
    let stage = Stage::with_texts(TEXTS);
    let n_pages = AtomicUsize::new(0);
    let changed = LABEL_CONFIG.replace("Happy", "Glad");
    // The third question about the project, the second before storing, finds another label config.
    let project = json!({ "id": 1, "title": "Moods", "label_config": changed });
    stage.label_studio.set_fault(move |request| {
        let is_project = request.route() == "GET /api/projects/1";
        if is_project && n_pages.fetch_add(1, Ordering::SeqCst) >= 2 {
            return Fault::Instead(Answer::json(&project));
        }
        Fault::None
    });
    let said = stage.predict(&SMALL);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stderr
            .contains("the label config of the project has changed"),
        "{said:?}"
    );
    stage.check_each_has_one();
    let table = stage.label_studio.table();
    let label =
        |id: i64| table.tasks[&id]["predictions"][0]["result"][0]["value"]["choices"][0].clone();
    let labels: Vec<_> = (1..=6).map(label).collect();
    assert_eq!(labels, ["Happy", "Happy", "Glad", "Glad", "Glad", "Glad"]);
}

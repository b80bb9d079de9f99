//! `label-studio-ml jobs` and `label-studio-ml versions` with a mock backend.

use std::process::{Command, Output};

use label_studio_testing::{Answer, MockService};
use serde_json::{Value, json};

fn job(state: &str) -> Value {
    json!({
        "id": "17", "project": "3", "kind": "START_TRAINING", "state": state, "attempts": 1,
        "max_attempts": 3, "worker": "host:1:ab", "progress": 0.5, "message": "epoch 5",
        "error": null, "result": null, "cancel": false, "created_at": 1.0, "started_at": 2.0,
        "ended_at": 3.0,
    })
}

fn backend() -> MockService {
    MockService::start(|request| {
        let call = format!("{} {}", request.method, request.target);
        match call.as_str() {
            "GET /ml/jobs?limit=20&project=3&state=failed" => {
                Answer::json(&json!({ "jobs": [job("failed")], "next": null }))
            }
            "GET /ml/jobs/17" => Answer::json(&job("failed")),
            "GET /ml/jobs/17/log" => Answer::json(&json!({ "id": "17", "log": "loss 1\n" })),
            "DELETE /ml/jobs/17" => Answer::json(&job("cancelled")),
            "POST /ml/jobs/17/retry" => Answer::json(&job("pending")),
            "GET /ml/jobs?state=running&limit=1" | "GET /ml/jobs?state=pending&limit=1" => {
                Answer::json(&json!({ "jobs": [], "next": null }))
            }
            "POST /ml/versions/a%2Fb%20c/activate?project=3" => {
                Answer::json(&json!({ "project": "3", "version": "a/b c", "is_active": true }))
            }
            _ => Answer::status(404),
        }
    })
}

fn run(backend: &MockService, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_label-studio-ml"))
        .args(args)
        .arg("--backend-url")
        .arg(backend.url("/ml"))
        .env_clear()
        .output()
        .unwrap()
}

fn check(args: &[&str], code: i32, expected: &str) {
    let output = run(&backend(), args);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    assert!(text.contains(expected), "{args:?}: {text}");
}

#[test]
fn jobs_are_listed_shown_cancelled_retried_and_watched() {
    let list = ["jobs", "list", "--project", "3", "--state", "failed"];
    check(&list, 0, "17   failed  3        START_TRAINING  50 %");
    check(&["jobs", "show", "17"], 0, "loss 1");
    check(&["jobs", "cancel", "17"], 0, "job 17 is cancelled");
    check(&["jobs", "retry", "17"], 0, "job 17 is pending");
    check(&["jobs", "watch", "17"], 1, "state    failed");
    check(&["jobs", "watch"], 1, "no job runs or waits");
    check(&["jobs", "show", "x"], 1, "is not the number of a job");
    check(&["jobs", "show", "18"], 1, "404");
}

#[test]
fn a_backend_cannot_control_the_terminal() {
    let forged = "\u{1b}[2J1\u{202e}\r\njob 1 is done";
    let mut answer = job("failed");
    for field in ["id", "project", "kind", "error"] {
        answer[field] = forged.into();
    }
    let shown = answer.clone();
    let backend = MockService::start(move |request| match request.method.as_str() {
        "DELETE" => Answer::json(&json!({ "detail": forged })).with_status(409),
        "POST" => Answer::json(&shown),
        _ if request.target.ends_with("/log") => Answer::json(&json!({ "log": forged })),
        _ if request.target.contains("limit") => Answer::json(&json!({ "jobs": [&answer] })),
        _ => Answer::json(&answer),
    });
    for args in [
        &["jobs", "list"] as &[&str],
        &["jobs", "show", "17"],
        &["jobs", "cancel", "17"],
        &["jobs", "retry", "17"],
        &["jobs", "watch", "17"],
        &["versions", "activate", forged],
    ] {
        let Output { stdout, stderr, .. } = run(&backend, args);
        let text = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(text.contains("\\u{1b}[2J1"), "{args:?}: {text}");
        let controls = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!text.contains(controls), "{args:?}: {text:?}");
    }
}

#[test]
fn a_version_of_any_name_is_activated() {
    let args = ["versions", "activate", "a/b c", "--project", "3"];
    check(&args, 0, "project 3 uses a/b c");
}

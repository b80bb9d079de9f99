//! What each check reports.

use std::process::{Command, Output};

use label_studio_testing::label_studio::Routes;
use serde_json::{Value, json};

use crate::mock;

const BASIC: &str = "Basic dTpw";

fn doctor(url: &str, args: &[&str], token: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command
        .arg("doctor")
        .args(args)
        .env_clear()
        .env("LABEL_STUDIO_URL", url);
    command.arg("--backend-url").arg(format!("{url}/backend"));
    if let Some(token) = token {
        command.env("LABEL_STUDIO_API_KEY", token);
    }
    command.output().unwrap()
}

/// Runs the doctor and expects `expect` within the line of `check`, and exit code 1 only if a line says FAIL.
fn check_lines(url: &str, args: &[&str], lines: &[(&str, &str)]) {
    let output = doctor(url, args, Some("0123abcd"));
    let report = String::from_utf8(output.stdout).unwrap();
    for (check, expect) in lines {
        let line = report
            .lines()
            .find(|line| line[4..].trim_start().starts_with(check));
        let line = line.unwrap_or_else(|| panic!("no line for {check}: {report}"));
        assert!(line.contains(expect), "{expect:?} is not in: {line}");
    }
    let fails = report.lines().any(|line| line.starts_with("FAIL"));
    assert_eq!(output.status.code(), Some(i32::from(fails)), "{report}");
}

#[test]
fn empty_variables_count_as_not_set() {
    let (_mock, url) = mock::start(None, |_, _| {});
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command.args(["doctor", "--backend-url"]);
    command.arg(format!("{url}/backend")).env_clear();
    for name in [
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT",
        "LABEL_STUDIO_VERIFY_SSL",
        "REQUESTS_CA_BUNDLE",
        "ALLOW_PRIVATE_ADDRESSES",
        "BASIC_AUTH_USER",
        "BASIC_AUTH_PASS",
        "LABEL_STUDIO_HOST",
        "LABEL_STUDIO_ACCESS_TOKEN",
    ] {
        command.env(name, "");
    }
    command.env("LABEL_STUDIO_URL", &url);
    let output = command
        .env("LABEL_STUDIO_API_KEY", "0123abcd")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn tells_label_studio_from_a_backend() {
    let (_mock, url) = mock::start(None, |_, _| {});
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command.args(["doctor", "--backend-url", &url]).env_clear();
    let output = command.env("LABEL_STUDIO_URL", &url).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        report.contains(&format!("FAIL  backend       {url} is Label Studio itself")),
        "{report}"
    );
}

/// Changes one answer of the mock, and expects a line.
fn check(route: &'static str, status: u16, body: Value, line: (&str, &str)) {
    let (_mock, url) = mock::start(None, |_, answers| {
        answers.insert(route.to_owned(), (status, body));
    });
    check_lines(&url, &["--project", "1"], &[line]);
}

fn prediction(result: &Value) -> Value {
    json!({ "results": [{ "result": result }] })
}

#[test]
fn reports_ok_for_every_check_that_passes() {
    let (_mock, url) = mock::start(None, |_, _| {});
    let output = doctor(&url, &[], Some("0123abcd"));
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(
        report.replace(&url, "URL"),
        "ok    Label Studio  URL runs Label Studio 1.23.2\n\
         ok    token         legacy token of ann@ls.example\n\
         ok    project       1 \"Moods\"\n\
         ok    label config  <Choices> \"mood\" on \"text\"\n\
         ok    task          11 is the task to try\n\
         ok    media         image has 6 bytes\n\
         ok    backend       URL/backend serves Mood\n\
         ok    connection    URL/backend is connected as \"mood\"\n\
         ok    address       Label Studio accepts and reaches 127.0.0.1\n\
         ok    webhook       events reach the backend\n\
         ok    setup         model version v7\n\
         skip  interactive   interactive preannotations are off, and no tag is smart\n\
         ok    prediction    regions that fit the label config: 1\n"
    );
}

#[test]
fn goes_on_without_a_token() {
    let (_mock, url) = mock::start(None, |_, _| {});
    let output = doctor(&url, &[], None);
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        report.contains("FAIL  token         none given; set LABEL_STUDIO_API_KEY"),
        "{report}"
    );
    assert!(
        report.contains("skip  project       needs an accepted token"),
        "{report}"
    );
    assert!(report.contains("ok    backend"), "{report}");
}

#[test]
fn reports_faults_of_label_studio() {
    check(
        "GET /api/version",
        404,
        json!({}),
        ("Label Studio", "is no Label Studio"),
    );
    check(
        "GET /api/version",
        404,
        json!({}),
        ("token", "needs a Label Studio"),
    );
    check(
        "GET /api/current-user/whoami",
        401,
        json!({}),
        ("token", "401"),
    );
    check(
        "GET /api/projects/1",
        404,
        json!({}),
        ("project", "there is no project 1,"),
    );
    let empty = json!({ "id": 1, "title": "", "label_config": "<View></View>" });
    check(
        "GET /api/projects/1",
        200,
        empty,
        ("label config", "no control tags"),
    );
    let broken = json!({ "id": 1, "title": "", "label_config": "<View>" });
    check("GET /api/projects/1", 200, broken, ("label config", "FAIL"));
    check(
        "GET /api/tasks",
        200,
        json!({ "tasks": [], "total": 0 }),
        ("task", "import one"),
    );
    check(
        "GET /data/upload/1/x.png",
        404,
        json!(""),
        ("media", "image: "),
    );
}

#[test]
fn lists_the_projects_to_choose_from() {
    let (_mock, url) = mock::start(None, |_, answers| {
        let projects = json!([{ "id": 1, "title": "Moods" }, { "id": 2, "title": "Cats" }]);
        answers.insert(
            "GET /api/projects".to_owned(),
            (200, json!({ "results": projects })),
        );
    });
    check_lines(
        &url,
        &[],
        &[(
            "project",
            "choose one with --project: 1 \"Moods\", 2 \"Cats\"",
        )],
    );
}

#[test]
fn asks_for_a_task_of_a_large_project() {
    let project = json!({ "id": 1, "label_config": "<View/>", "task_number": 100_000 });
    check(
        "GET /api/projects/1",
        200,
        project,
        ("task", "choose one with --task"),
    );
}

#[test]
fn reports_faults_of_the_backend() {
    check(
        "GET /backend/health",
        200,
        json!("hello"),
        ("backend", "is no ML backend"),
    );
    check(
        "GET /backend/health",
        502,
        json!("gateway"),
        ("backend", "answers 502: gateway"),
    );
    let loading = json!({ "detail": "weights are missing" });
    check(
        "GET /backend/ready",
        503,
        loading,
        ("backend", "not ready: weights are missing"),
    );
    check(
        "POST /backend/setup",
        500,
        json!({ "detail": "no disk" }),
        ("setup", "answers 500: no disk"),
    );
    check(
        "POST /backend/setup",
        200,
        json!({ "model_version": null }),
        ("setup", "no model_version"),
    );
}

#[test]
fn reports_predictions_that_label_studio_cannot_show() {
    let route = "POST /backend/predict";
    let missing = json!({ "detail": "label config has no <Labels> control on a <Text> object" });
    check(route, 400, missing, ("prediction", "no <Labels> control"));
    check(route, 200, json!({}), ("prediction", "no list of results"));
    check(
        route,
        200,
        json!({ "results": [{}, {}] }),
        ("prediction", "2 results for 1 task"),
    );
    check(
        route,
        200,
        json!({ "results": [] }),
        ("prediction", "Start Training"),
    );
    check(
        route,
        200,
        json!({ "results": [{ "error": "too dark" }] }),
        ("prediction", "too dark"),
    );
    check(
        route,
        200,
        prediction(&json!(null)),
        ("prediction", "no list called result"),
    );
    check(route, 200, prediction(&json!([])), ("prediction", "warn"));
    let null = json!({ "results": [{ "result": [], "model_version": null }] });
    check(route, 200, null, ("prediction", "model_version is null"));
    let angry = json!([{ "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": ["Angry"] } }]);
    check(route, 200, prediction(&angry), ("prediction", "FAIL"));
    let elsewhere = json!([{ "from_name": "x", "to_name": "text", "type": "choices", "value": { "choices": ["Sad"] } }]);
    check(route, 200, prediction(&elsewhere), ("prediction", "FAIL"));
}

/// A backend on this machine as the project knows it, by a name that a container would use.
fn connected(state: &str, port: &str) -> Value {
    let url = format!("http://localhost:{port}/backend");
    json!([{ "id": 3, "url": url, "title": "mood", "state": state, "error_message": "no luck" }])
}

#[test]
fn reports_the_state_of_the_connection() {
    for (state, expect) in [
        ("DI", "Label Studio does not reach"),
        ("ER", "Label Studio reports an error: no luck"),
        ("CO", "is connected as \"mood\""),
    ] {
        let (_mock, url) = mock::start(None, |url, answers| {
            let port = url.rsplit(':').next().unwrap();
            answers.insert("GET /api/ml".to_owned(), (200, connected(state, port)));
        });
        check_lines(&url, &[], &[("connection", expect)]);
    }
    let route = "GET /api/ml";
    check(
        route,
        200,
        json!([]),
        ("connection", "connect it in the project's settings"),
    );
    check(
        route,
        200,
        json!([]),
        ("address", "ML_BLOCK_LOCAL_IP=false"),
    );
    check(
        route,
        200,
        connected("CO", "1"),
        ("connection", "(but http://localhost:1/backend)"),
    );
}

#[test]
fn warns_that_only_the_first_backend_predicts() {
    let (_mock, url) = mock::start(None, |_, answers| {
        let (_, backends) = answers.get_mut("GET /api/ml").unwrap();
        let first = json!({ "id": 2, "url": "http://u:hidden@other:9090", "state": "CO" });
        *backends = json!([first, backends[0]]);
    });
    check_lines(
        &url,
        &[],
        &[("connection", "first ML backend, http://other:9090, for")],
    );
}

#[test]
fn reports_webhooks_that_do_not_work() {
    check(
        "GET /api/webhooks",
        200,
        json!([]),
        ("webhook", "SSRF_PROTECTION_ENABLED=false"),
    );
    check(
        "POST /backend/webhook",
        500,
        json!("oops"),
        ("webhook", "answers 500: oops"),
    );
    let (_mock, url) = mock::start(None, |_, answers| {
        let webhooks = &mut answers.get_mut("GET /api/webhooks").unwrap().1;
        webhooks[0]["is_active"] = json!(false);
    });
    check_lines(&url, &[], &[("webhook", "switched off")]);
}

#[test]
fn reports_events_without_credentials() {
    let (_mock, url) = mock::start(Some(BASIC), |_, _| {});
    let auth = ["--basic-auth-user", "u", "--basic-auth-pass", "p"];
    check_lines(&url, &[], &[("backend", "--basic-auth-user")]);
    check_lines(
        &url,
        &auth,
        &[
            ("prediction", "ok"),
            ("webhook", "events carry none; the backend adds them itself"),
        ],
    );
    let with_header = |header: &'static str| {
        move |_: &str, answers: &mut Routes| {
            let webhooks = &mut answers.get_mut("GET /api/webhooks").unwrap().1;
            webhooks[0]["headers"] = json!({ "Authorization": header });
        }
    };
    let (_mock, url) = mock::start(Some(BASIC), with_header(BASIC));
    check_lines(&url, &auth, &[("webhook", "events reach the backend")]);
    let (_mock, url) = mock::start(Some(BASIC), with_header("Basic wrong"));
    check_lines(&url, &auth, &[("webhook", "events carry others")]);
}

#[test]
fn shows_no_secrets() {
    let (_mock, url) = mock::start(Some(BASIC), |_, _| {});
    let backend = format!("{}/backend", url.replace("://", "://u:hidden@"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command
        .args([
            "doctor",
            "--label-studio-url",
            &url,
            "--backend-url",
            &backend,
        ])
        .env_clear();
    let output = command
        .env("LABEL_STUDIO_API_KEY", "topsecret")
        .output()
        .unwrap();
    let said = format!("{output:?}");
    assert!(
        !said.contains("hidden") && !said.contains("topsecret"),
        "{said}"
    );
}

#[test]
fn prints_colour_only_when_asked_to() {
    let is_coloured = |variable: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
        let output = command
            .args([
                "doctor",
                "--label-studio-url=http://localhost:1",
                "--backend-url=http://localhost:1",
            ])
            .env_clear()
            .env(variable, "1")
            .output()
            .unwrap();
        output.stdout.contains(&b'\x1b')
    };
    assert!(is_coloured("CLICOLOR_FORCE"));
    assert!(!is_coloured("NO_COLOR"));
}

#[test]
fn rejects_a_wrong_backend_url() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    let output = command
        .args(["doctor", "--backend-url", "localhost:9090"])
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("write it with http://"));
}

//! `label-studio-ml doctor --fix` with a mock Label Studio that stores what it is sent.

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use label_studio_testing::{Answer, MockLabelStudio, MockService, Received, label_studio::Routes};
use serde_json::{Value, json};

use crate::mock;

const BASIC: &str = "Basic dTpw";
const AUTH: [&str; 4] = ["--basic-auth-user", "u", "--basic-auth-pass", "p"];

/// A Label Studio that changes with what it is sent, and a backend.
struct Scene {
    backend: MockLabelStudio,
    label_studio: MockService,
}

impl Scene {
    /// Starts both, with answers of the mock that `change` may alter.
    fn new(authorization: Option<&str>, change: impl FnOnce(&str, &mut Routes)) -> Self {
        let (backend, _) = mock::start(authorization, change);
        let routes = Arc::new(Mutex::new(backend.routes().clone()));
        let label_studio =
            MockService::start(move |request| answer(request, &mut routes.lock().unwrap()));
        Self {
            backend,
            label_studio,
        }
    }

    /// Runs the doctor, and returns the lines of one check and the exit code.
    fn doctor(&self, check: &str, args: &[&str]) -> (Vec<String>, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
        command.arg("doctor").args(args).env_clear();
        command.env("LABEL_STUDIO_URL", self.label_studio.url(""));
        command.env("LABEL_STUDIO_API_KEY", "0123abcd");
        command
            .arg("--backend-url")
            .arg(self.backend.url("/backend"));
        let output = command.output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        let lines = report.lines().filter(|line| line[6..].starts_with(check));
        (lines.map(str::to_owned).collect(), output.status.code())
    }

    /// Checks that `check` has a fault with a fix, that `--fix` corrects it, and what Label Studio was sent.
    fn check(&self, check: &str, args: &[&str], fault: &str, route: &str, sent: &Value) {
        let (lines, code) = self.doctor(check, args);
        assert!(
            lines[0].starts_with("FAIL") && lines[0].contains(fault),
            "{lines:?}"
        );
        assert!(lines[0].ends_with("(doctor --fix does it)"), "{lines:?}");
        assert_eq!(code, Some(1));
        assert!(
            self.changes().is_empty(),
            "nothing is changed without --fix"
        );

        let args: Vec<_> = args.iter().copied().chain(["--fix"]).collect();
        let (lines, code) = self.doctor(check, &args);
        assert!(
            lines[0].starts_with("fix ") && lines[0].contains(fault),
            "{lines:?}"
        );
        let last = lines.last().unwrap();
        assert!(lines.len() == 2 && !last.starts_with("FAIL"), "{lines:?}");
        assert_eq!(code, Some(0), "{lines:?}");
        assert_eq!(self.changes(), [(route.to_owned(), sent.clone())]);
    }

    fn changes(&self) -> Vec<(String, Value)> {
        let received = self.label_studio.received().into_iter();
        let changes = received.filter(|request| !request.route().starts_with("GET "));
        changes
            .map(|request| (request.route(), request.json()))
            .collect()
    }
}

/// Answers as Label Studio does: a change of a webhook or an ML backend is seen afterwards.
fn answer(request: &Received, routes: &mut Routes) -> Answer {
    let route = request.route().trim_end_matches('/').to_owned();
    let list = match route.as_str() {
        "PATCH /api/webhooks/5" | "POST /api/webhooks" => "GET /api/webhooks",
        "PATCH /api/ml/3" => "GET /api/ml",
        _ => {
            return routes.get(&route).map_or_else(
                || Answer::status(404),
                |(status, body)| {
                    let answer = match body {
                        Value::String(text) => Answer::ok(text.as_str()),
                        body => Answer::json(body),
                    };
                    answer.with_status(*status)
                },
            );
        }
    };
    let sent = request.json();
    if list == "GET /api/ml" && (sent["url"].is_null() || sent["project"].is_null()) {
        return Answer::status(500);
    }
    let stored = &mut routes.get_mut(list).unwrap().1;
    if route.starts_with("POST") {
        let mut webhook = sent.clone();
        webhook["id"] = json!(6);
        *stored = json!([webhook]);
    } else {
        for (name, value) in sent.as_object().unwrap() {
            stored[0][name] = value.clone();
        }
        if sent.get("basic_auth_pass").is_some() {
            stored[0]["state"] = json!("CO");
            stored[0]["basic_auth_pass_is_set"] = json!(true);
        }
    }
    Answer::json(&stored[0])
}

#[test]
fn switches_of_the_webhook() {
    let scene = Scene::new(None, |_, routes| {
        let webhook = &mut routes.get_mut("GET /api/webhooks").unwrap().1[0];
        webhook["is_active"] = json!(false);
        webhook["send_payload"] = json!(false);
        webhook["send_for_all_actions"] = json!(false);
        webhook["actions"] = json!(["TASKS_CREATED", "ANNOTATION_CREATED"]);
    });
    scene.check(
        "webhook",
        &[],
        "is switched off, and sends no payload, so that the model gets no annotations, and does not send \
         ANNOTATION_UPDATED, ANNOTATIONS_CREATED, ANNOTATIONS_DELETED",
        "PATCH /api/webhooks/5",
        &json!({ "is_active": true, "send_payload": true, "send_for_all_actions": true }),
    );
}

#[test]
fn a_webhook_that_sends_only_what_models_learn_from_is_fine() {
    let scene = Scene::new(None, |_, routes| {
        let webhook = &mut routes.get_mut("GET /api/webhooks").unwrap().1[0];
        webhook["send_for_all_actions"] = json!(false);
        webhook["actions"] = json!([
            "ANNOTATIONS_DELETED",
            "ANNOTATION_CREATED",
            "ANNOTATION_UPDATED",
            "ANNOTATIONS_CREATED"
        ]);
    });
    let (lines, code) = scene.doctor("webhook", &[]);
    assert!(lines[0].starts_with("ok "), "{lines:?}");
    assert_eq!(code, Some(0));
}

#[test]
fn a_missing_webhook() {
    let scene = Scene::new(None, |_, routes| {
        routes.insert("GET /api/webhooks".to_owned(), (200, json!([])));
    });
    let url = scene.backend.url("/backend/webhook");
    let sent = json!({
        "project": 1, "url": url, "is_active": true, "send_payload": true, "send_for_all_actions": true,
    });
    scene.check(
        "webhook",
        &[],
        "the project has none",
        "POST /api/webhooks/",
        &sent,
    );
}

#[test]
fn a_webhook_without_the_credentials_of_the_backend() {
    let scene = Scene::new(Some(BASIC), |_, _| {});
    let sent = json!({ "headers": { "Authorization": BASIC } });
    let fault = "the backend requires credentials, and events carry none";
    scene.check("webhook", &AUTH, fault, "PATCH /api/webhooks/5", &sent);
}

#[test]
fn a_backend_whose_credentials_label_studio_lacks() {
    let scene = Scene::new(Some(BASIC), |_, routes| {
        routes.get_mut("GET /api/ml").unwrap().1[0]["state"] = json!("DI");
        routes.get_mut("GET /api/webhooks").unwrap().1[0]["headers"] =
            json!({ "Authorization": BASIC });
    });
    let sent = json!({
        "url": scene.backend.url("/backend"), "project": 1,
        "auth_method": "BASIC_AUTH", "basic_auth_user": "u", "basic_auth_pass": "p",
    });
    let fault = "the backend requires credentials, and Label Studio has none";
    scene.check("connection", &AUTH, fault, "PATCH /api/ml/3", &sent);
}

#[test]
fn interactive_preannotations_that_are_off_beside_smart_tags() {
    let scene = Scene::new(None, |_, routes| {
        mock::set_label_config(routes, mock::SMART);
        routes.insert(
            "POST /backend/predict".to_owned(),
            (200, mock::box_around("Cat")),
        );
    });
    let sent =
        json!({ "url": scene.backend.url("/backend"), "project": 1, "is_interactive": true });
    let fault = "smart tags (<KeyPointLabels> \"click\"), but interactive preannotations are off";
    scene.check("interactive", &[], fault, "PATCH /api/ml/3", &sent);
}

#[test]
fn a_fix_that_label_studio_refuses() {
    let scene = Scene::new(None, |_, routes| {
        routes.insert(
            "GET /api/webhooks".to_owned(),
            (
                200,
                json!([{
                    "id": 7, "url": routes["GET /api/webhooks"].1[0]["url"], "is_active": false,
                }]),
            ),
        );
    });
    let (lines, code) = scene.doctor("webhook", &["--fix"]);
    assert!(
        lines.len() == 1 && lines[0].contains("Label Studio refuses the fix"),
        "{lines:?}"
    );
    assert_eq!(code, Some(1));
}

//! A mock Label Studio that stores what it is sent.

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use label_studio_testing::{Answer, MockLabelStudio, MockService, Received, label_studio::Routes};
use serde_json::{Value, json};

use crate::mock;

/// A Label Studio that changes with what it is sent, and a backend.
pub(crate) struct Scene {
    pub(crate) backend: MockLabelStudio,
    label_studio: MockService,
}

impl Scene {
    /// Starts both, with answers of the mock that `change` may alter.
    pub(crate) fn new(authorization: Option<&str>, change: impl FnOnce(&str, &mut Routes)) -> Self {
        let (backend, _) = mock::start(authorization, change);
        let routes = Arc::new(Mutex::new(backend.routes().clone()));
        let label_studio =
            MockService::start(move |request| answer(request, &mut routes.lock().unwrap()));
        Self {
            backend,
            label_studio,
        }
    }

    /// Runs a command, and returns the lines of one check and the exit code.
    pub(crate) fn run(&self, name: &str, check: &str, args: &[&str]) -> (Vec<String>, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
        command.arg(name).args(args).env_clear();
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

    /// Returns what Label Studio was sent, other than questions.
    pub(crate) fn changes(&self) -> Vec<(String, Value)> {
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
        "PATCH /api/ml/3" | "POST /api/ml" => "GET /api/ml",
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
        let mut created = sent.clone();
        created["id"] = json!(6);
        created["state"] = json!("CO");
        *stored = json!([created]);
    } else {
        for (name, value) in sent.as_object().unwrap() {
            stored[0][name] = value.clone();
        }
        if sent.get("basic_auth_pass").is_some() || list == "GET /api/ml" {
            stored[0]["state"] = json!("CO");
            stored[0]["basic_auth_pass_is_set"] = json!(true);
        }
    }
    Answer::json(&stored[0])
}

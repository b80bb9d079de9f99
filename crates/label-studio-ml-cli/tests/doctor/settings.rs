//! `label-studio-ml doctor` reads settings, label configs and versions as the server and Label Studio do.

use std::{
    fs,
    process::{Command, Output},
};

use label_studio_testing::{Answer, MockService, label_studio::Routes};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mock;

fn doctor(url: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command.arg("doctor").args(args).env_clear();
    command.args(["--backend-url", &format!("{url}/backend")]);
    command
        .env("LABEL_STUDIO_URL", url)
        .env("LABEL_STUDIO_API_KEY", "0123abcd");
    command.envs(env.iter().copied()).output().unwrap()
}

/// Runs the doctor with answers of the mock that `change` may alter, and returns the line of a check.
fn line(check: &str, env: &[(&str, &str)], change: impl FnOnce(&str, &mut Routes)) -> String {
    let (_mock, url) = mock::start(None, change);
    let output = doctor(&url, &[], env);
    let report = String::from_utf8(output.stdout).unwrap();
    let line = report.lines().find(|line| line[6..].starts_with(check));
    line.unwrap_or_else(|| panic!("no line for {check}: {report}"))
        .to_owned()
}

fn set_task(routes: &mut Routes, data: &Value) {
    let tasks = json!([{ "id": 11, "data": data }]);
    routes.insert(
        "GET /api/tasks".to_owned(),
        (200, json!({ "tasks": tasks, "total": 1 })),
    );
}

fn predicts(routes: &mut Routes, region: &Value) {
    let results = json!({ "results": [{ "result": [region] }] });
    routes.insert("POST /backend/predict".to_owned(), (200, results));
}

#[test]
fn the_document_root_has_the_names_that_the_server_reads() {
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("x.png"), "pixels").unwrap();
    for name in [
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT",
        "HEARTEX_LOCAL_FILES_DOCUMENT_ROOT",
        "LOCAL_FILES_DOCUMENT_ROOT",
    ] {
        let env = [(name, root.path().to_str().unwrap())];
        let line = line("media", &env, |_, routes| {
            set_task(
                routes,
                &json!({ "text": "rain", "image": "/data/local-files/?d=x.png" }),
            );
        });
        assert_eq!(line, "ok    media         image has 6 bytes", "{name}");
    }
}

#[test]
fn the_switch_for_certificates_has_the_names_that_the_server_reads() {
    for name in [
        "LABEL_STUDIO_VERIFY_SSL",
        "HEARTEX_VERIFY_SSL",
        "VERIFY_SSL",
    ] {
        let output = doctor("http://127.0.0.1:1", &[], &[(name, "perhaps")]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let output = doctor("http://127.0.0.1:1", &[], &[(name, "")]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{name}: an empty variable counts as not set"
        );
    }
}

#[test]
fn the_credentials_have_the_names_that_the_server_reads() {
    let (_mock, url) = mock::start(Some("Basic dTpw"), |_, _| {});
    let env = [
        ("ML_SERVER_BASIC_AUTH_USER", "u"),
        ("ML_SERVER_BASIC_AUTH_PASS", "p"),
    ];
    let report = String::from_utf8(doctor(&url, &[], &env).stdout).unwrap();
    assert!(report.contains("ok    backend"), "{report}");
}

#[test]
fn an_address_that_is_none_ends_with_code_2() {
    for url in ["localhost:8080", "ftp://ls.example", "http://", "nonsense"] {
        let output = doctor("http://127.0.0.1:1", &[], &[("LABEL_STUDIO_URL", url)]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{url}: {said}");
        assert!(
            said.contains("LABEL_STUDIO_URL") || said.contains("label-studio-url"),
            "{said}"
        );
    }
}

#[test]
fn label_configs_are_read_as_label_studio_reads_them() {
    let region = |from: &str, to: &str| json!({ "from_name": from, "to_name": to, "type": "choices", "value": { "choices": ["Sad"] } });
    for (label_config, data, from, to) in [
        (
            r#"<View><Text name="t" value="$text"/><choices name="c" toName="t"><choice value="Sad"/></choices></View>"#,
            json!({ "text": "rain" }),
            "c",
            "t",
        ),
        (
            r#"<View><Repeater on="$pages" indexFlag="{{idx}}"><Text name="p_{{idx}}" value="$pages[{{idx}}].text"/>
               <Choices name="c_{{idx}}" toName="p_{{idx}}"><Choice value="Sad"/></Choices></Repeater></View>"#,
            json!({ "pages": [{ "text": "rain" }, { "text": "fog" }] }),
            "c_1",
            "p_1",
        ),
    ] {
        let line = line("prediction", &[], |_, routes| {
            mock::set_label_config(routes, label_config);
            set_task(routes, &data);
            predicts(routes, &region(from, to));
        });
        assert_eq!(
            line, "ok    prediction    regions that fit the label config: 1",
            "{label_config}"
        );
    }
}

#[test]
fn files_are_found_at_paths_within_the_task() {
    let line = line("media", &[], |_, routes| {
        mock::set_label_config(
            routes,
            r#"<View><Image name="image" value="$meta.images[0]"/><Choices name="c" toName="image"><Choice value="Sad"/>
               </Choices></View>"#,
        );
        set_task(
            routes,
            &json!({ "meta": { "images": ["/data/upload/1/x.png"] } }),
        );
    });
    assert_eq!(line, "ok    media         meta.images[0] has 6 bytes");
}

#[test]
fn private_addresses_are_refused_by_new_versions_only() {
    for (release, is_refused) in [
        ("1.23.2", true),
        ("1.23.0", false),
        ("1.12.1", false),
        ("44c2949", true),
    ] {
        let line = line("address", &[], |_, routes| {
            routes.insert(
                "GET /api/version".to_owned(),
                (200, json!({ "release": release })),
            );
            routes.insert("GET /api/ml".to_owned(), (200, json!([])));
        });
        assert_eq!(
            line.contains("ML_BLOCK_LOCAL_IP=false"),
            is_refused,
            "{release}: {line}"
        );
    }
}

#[test]
fn names_the_tokens_that_the_version_takes() {
    let personal = [
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6NDEwMjQ0NDgwMH0",
        "c2ln",
    ];
    for (release, token, expected) in [
        (
            "1.16.0",
            personal.join("."),
            "personal access tokens exist from Label Studio 1.17.0 on",
        ),
        (
            "1.23.2",
            "0123abcd".to_owned(),
            "new organisations accept personal access tokens only",
        ),
    ] {
        let line = line("token", &[("LABEL_STUDIO_API_KEY", &token)], |_, routes| {
            routes.insert(
                "GET /api/version".to_owned(),
                (200, json!({ "release": release })),
            );
            routes.insert("GET /api/current-user/whoami".to_owned(), (401, json!({})));
        });
        assert!(
            line.starts_with("FAIL") && line.contains(expected),
            "{line}"
        );
    }
    let line = line("Label Studio", &[], |_, routes| {
        routes.insert(
            "GET /api/version".to_owned(),
            (200, json!({ "release": "1.7.3" })),
        );
    });
    assert!(
        line.starts_with("warn") && line.contains("versions before 1.8.2 are not tested"),
        "{line}"
    );
}

/// A backend that answers a click, and nothing without one.
fn interactive_backend() -> MockService {
    MockService::start(|request| match request.path() {
        "/health" => Answer::json(&json!({ "status": "UP", "model_class": "Sam" })),
        "/setup" => Answer::json(&json!({ "model_version": "v1" })),
        "/predict" => {
            let context = &request.json()["params"]["context"];
            let drawn = &context["result"][0];
            let is_click = drawn["type"] == "keypointlabels"
                && drawn["from_name"] == "click"
                && drawn["value"]["keypointlabels"] == json!(["Cat"])
                && drawn["is_positive"] == true;
            Answer::json(&if is_click {
                mock::box_around("Cat")
            } else {
                json!({ "results": [] })
            })
        }
        _ => Answer::json(&json!({})),
    })
}

#[test]
fn an_interactive_backend_is_tried_with_a_click() {
    let backend = interactive_backend();
    let (_mock, url) = mock::start(None, |_, routes| {
        mock::set_label_config(routes, mock::SMART);
        let stored = &mut routes.get_mut("GET /api/ml").unwrap().1[0];
        stored["url"] = json!(backend.url(""));
        stored["is_interactive"] = json!(true);
        routes.get_mut("GET /api/webhooks").unwrap().1[0]["url"] = json!(backend.url("/webhook"));
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command
        .args(["doctor", "--backend-url", &backend.url("")])
        .env_clear();
    command
        .env("LABEL_STUDIO_URL", &url)
        .env("LABEL_STUDIO_API_KEY", "0123abcd");
    let output = command.output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "ok    interactive   regions for a click into the middle with \"click\": 1\n",
        "ok    prediction    none without a click",
    ] {
        assert!(report.contains(expected), "{expected:?} is not in {report}");
    }
    assert_eq!(output.status.code(), Some(0), "{report}");
}

#[test]
fn a_click_that_brings_nothing_is_a_warning() {
    let interactive = |routes: &mut Routes, label_config: &str| {
        mock::set_label_config(routes, label_config);
        routes.get_mut("GET /api/ml").unwrap().1[0]["is_interactive"] = json!(true);
    };
    let empty = json!({ "results": [{ "result": [] }] });
    let several = json!({ "results": [[{ "result": [] }]] });
    let foreign = mock::box_around("Dog");
    for (label_config, answer, expected) in [
        (
            mock::SMART,
            &empty,
            "warn  interactive   the backend suggests no region for a click",
        ),
        (
            mock::SMART,
            &several,
            "with no region list, so nothing appears",
        ),
        (
            mock::SMART,
            &foreign,
            "FAIL  interactive   the answer to a click into the middle",
        ),
        (
            r#"<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="Cat"/>
               </RectangleLabels></View>"#,
            &empty,
            "warn  interactive   interactive preannotations are on, but no tag is smart",
        ),
        (
            r#"<View><Text name="text" value="$text"/><Labels name="word" toName="text"><Label value="Cat"/></Labels></View>"#,
            &empty,
            "warn  interactive   the backend suggests no region for the first word with \"word\"",
        ),
    ] {
        let line = line("interactive", &[], |_, routes| {
            interactive(routes, label_config);
            routes.insert("POST /backend/predict".to_owned(), (200, answer.clone()));
        });
        assert!(line.contains(expected), "{expected:?} is not in {line}");
    }
}

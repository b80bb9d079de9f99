//! `label-studio-ml connect` with a mock Label Studio that stores what it is sent.

use label_studio_testing::label_studio::Routes;
use serde_json::{Value, json};

use crate::{mock, scene::Scene};

const BASIC: &str = "Basic dTpw";

fn without_backend(_: &str, routes: &mut Routes) {
    routes.insert("GET /api/ml".to_owned(), (200, json!([])));
}

#[test]
fn a_backend_is_connected_once_and_predicts_a_task() {
    let scene = Scene::new(None, without_backend);
    let (lines, code) = scene.run("connect", "connection", &["--title", "Moods"]);
    assert!(lines[0].starts_with("fix "), "{lines:?}");
    assert!(lines[1].ends_with("is connected as \"Moods\""), "{lines:?}");
    assert_eq!(code, Some(0));
    let url = scene.backend.url("/backend");
    let sent = json!({ "project": 1, "url": url, "title": "Moods", "is_interactive": false });
    assert_eq!(scene.changes(), [("POST /api/ml".to_owned(), sent)]);

    let (lines, code) = scene.run("connect", "prediction", &[]);
    assert!(
        lines[0].starts_with("ok ") && lines[0].ends_with('1'),
        "{lines:?}"
    );
    assert_eq!(code, Some(0));
    assert_eq!(scene.changes().len(), 1, "nothing is left to change");
}

#[test]
fn a_backend_with_credentials_and_smart_tags_is_connected_with_them() {
    let scene = Scene::new(Some(BASIC), |url, routes| {
        without_backend(url, routes);
        mock::set_label_config(routes, mock::SMART);
        let answer = mock::box_around("Cat");
        routes.insert("POST /backend/predict".to_owned(), (200, answer));
    });
    let credentials = ["--basic-auth-user", "u", "--basic-auth-pass", "p"];
    let (lines, code) = scene.run("connect", "webhook", &credentials);
    assert_eq!((lines.len(), code), (2, Some(0)), "{lines:?}");
    let connection = json!({
        "project": 1, "url": scene.backend.url("/backend"), "title": "Mood", "is_interactive": true,
        "auth_method": "BASIC_AUTH", "basic_auth_user": "u", "basic_auth_pass": "p",
    });
    let headers = json!({ "headers": { "Authorization": BASIC } });
    let expected: [(&str, Value); 2] = [
        ("POST /api/ml", connection),
        ("PATCH /api/webhooks/5", headers),
    ];
    assert_eq!(
        scene.changes(),
        expected.map(|(route, sent)| (route.to_owned(), sent))
    );
}

#[test]
fn a_backend_that_has_moved_gets_its_new_address() {
    let scene = Scene::new(None, |url, routes| {
        let backend = &mut routes.get_mut("GET /api/ml").unwrap().1[0];
        backend["url"] = json!(format!(
            "{}/backend",
            url.replace("127.0.0.1", "gone.example")
        ));
        backend["state"] = json!("DI");
    });
    let (lines, code) = scene.run("connect", "connection", &[]);
    assert!(
        lines[0].contains("gone.example") && lines[0].starts_with("fix "),
        "{lines:?}"
    );
    assert_eq!((lines.len(), code), (2, Some(0)), "{lines:?}");
    let url = scene.backend.url("/backend");
    let sent = json!({ "project": 1, "url": url });
    assert_eq!(scene.changes(), [("PATCH /api/ml/3".to_owned(), sent)]);
}

#[test]
fn a_backend_that_does_not_answer_is_not_connected() {
    let scene = Scene::new(None, |url, routes| {
        without_backend(url, routes);
        routes.insert("GET /backend/health".to_owned(), (500, json!({})));
    });
    let (lines, code) = scene.run("connect", "connection", &[]);
    assert!(
        lines[0].ends_with("needs a backend that answers"),
        "{lines:?}"
    );
    assert_eq!((lines.len(), code), (1, Some(1)), "{lines:?}");
    assert!(scene.changes().is_empty());
}

#[test]
fn a_connection_that_label_studio_refuses_is_said() {
    let scene = Scene::new(None, |_, routes| {
        routes.remove("GET /api/ml");
    });
    let (lines, code) = scene.run("connect", "connection", &[]);
    assert!(
        lines[0].starts_with("FAIL") && lines[0].contains("404"),
        "{lines:?}"
    );
    assert_eq!(code, Some(1));
}

#[test]
fn the_doctor_names_the_command_that_connects() {
    let scene = Scene::new(None, without_backend);
    let (lines, _) = scene.run("doctor", "connection", &["--fix"]);
    assert!(
        lines[0].ends_with("or with `label-studio-ml connect`"),
        "{lines:?}"
    );
    assert!(scene.changes().is_empty(), "a doctor connects nothing");
}

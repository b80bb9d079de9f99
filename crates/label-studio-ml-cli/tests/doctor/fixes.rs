//! `label-studio-ml doctor --fix` with a mock Label Studio that stores what it is sent.

use serde_json::{Value, json};

use crate::{mock, scene::Scene};

const BASIC: &str = "Basic dTpw";
const AUTH: [&str; 4] = ["--basic-auth-user", "u", "--basic-auth-pass", "p"];

/// Checks that `check` has a fault with a fix, that `--fix` corrects it, and what Label Studio was sent.
fn check(scene: &Scene, check: &str, args: &[&str], fault: &str, route: &str, sent: &Value) {
    let (lines, code) = scene.run("doctor", check, args);
    assert!(
        lines[0].starts_with("FAIL") && lines[0].contains(fault),
        "{lines:?}"
    );
    assert!(lines[0].ends_with("(doctor --fix does it)"), "{lines:?}");
    assert_eq!(code, Some(1));
    assert!(
        scene.changes().is_empty(),
        "nothing is changed without --fix"
    );

    let args: Vec<_> = args.iter().copied().chain(["--fix"]).collect();
    let (lines, code) = scene.run("doctor", check, &args);
    assert!(
        lines[0].starts_with("fix ") && lines[0].contains(fault),
        "{lines:?}"
    );
    let last = lines.last().unwrap();
    assert!(lines.len() == 2 && !last.starts_with("FAIL"), "{lines:?}");
    assert_eq!(code, Some(0), "{lines:?}");
    assert_eq!(scene.changes(), [(route.to_owned(), sent.clone())]);
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
    check(
        &scene,
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
    let (lines, code) = scene.run("doctor", "webhook", &[]);
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
    check(
        &scene,
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
    check(
        &scene,
        "webhook",
        &AUTH,
        fault,
        "PATCH /api/webhooks/5",
        &sent,
    );
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
    check(&scene, "connection", &AUTH, fault, "PATCH /api/ml/3", &sent);
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
    check(&scene, "interactive", &[], fault, "PATCH /api/ml/3", &sent);
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
    let (lines, code) = scene.run("doctor", "webhook", &["--fix"]);
    assert!(
        lines.len() == 1 && lines[0].contains("Label Studio refuses the fix"),
        "{lines:?}"
    );
    assert_eq!(code, Some(1));
}

//! Services that fail, at each step.

mod mock;

use std::sync::atomic::{AtomicUsize, Ordering};

use label_studio_ml::json;
use label_studio_testing::{Answer, Received};
use mock::{Stage, answer, body};

const STEPS: [&str; 3] = ["POST", "PUT", "PATCH"];

/// Answers one step with a fault, as often as `times` says.
fn failing(step: &'static str, fault: Answer, times: usize) -> impl Fn(&Received) -> Answer {
    let n = AtomicUsize::new(0);
    move |request| {
        if request.method == step && n.fetch_add(1, Ordering::Relaxed) < times {
            return fault.clone();
        }
        answer(request)
    }
}

#[test]
fn failures_that_pass_are_waited_for() {
    for step in ["POST", "PUT"] {
        for fault in [
            Answer::status(429).with_header("retry-after", "0"),
            Answer::status(500).with_header("retry-after", "0"),
            Answer::status(503).with_header("retry-after", "0"),
            Answer::bytes("audio/mpeg", "ID3 the audio").cut(),
            Answer::hang(),
        ] {
            let stage = Stage::with(
                &["--service-read-timeout", "1.5"],
                failing(step, fault.clone(), 1),
            );
            let (status, answer) = stage.client.post("/predict", &body("Hello"));
            assert_eq!(status, 200, "{step} {fault:?}: {answer}");
            assert!(stage.asked().len() >= 4);
        }
    }
}

#[test]
fn nothing_follows_a_step_that_failed() {
    for (idx, step) in STEPS.iter().enumerate() {
        let stage = Stage::with(&[], failing(step, Answer::status(403), 9));
        assert_eq!(stage.client.post("/predict", &body("Hello")).0, 500);
        assert_eq!(stage.asked().len(), idx + 1, "{step}");
    }
}

#[test]
fn failures_that_stay_name_the_cause_the_fix_and_no_secret() {
    let xml = |code: &str, message: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        )
    };
    let deepgram = json!({ "err_code": "INVALID_AUTH", "err_msg": "Invalid credentials for deepgram-key.", "request_id": "1" });
    for (step, fault, expected) in [
        (
            "POST",
            Answer::json(&deepgram).with_status(401),
            "Invalid credentials",
        ),
        (
            "POST",
            Answer::json(&json!({ "err_msg": "unknown voice" })).with_status(400),
            "unknown voice",
        ),
        ("POST", Answer::json(&json!({})), "instead of audio"),
        ("POST", Answer::bytes("audio/mpeg", ""), "no audio"),
        ("POST", Answer::huge(33 << 20), "larger than"),
        (
            "PUT",
            Answer::bytes(
                "application/xml",
                xml("AccessDenied", "Access Denied aws-secret"),
            )
            .with_status(403),
            "AccessDenied: Access Denied",
        ),
        (
            "PUT",
            Answer::bytes(
                "application/xml",
                xml(
                    "AccessControlListNotSupported",
                    "The bucket does not allow ACLs",
                ),
            )
            .with_status(400),
            "S3_ACL",
        ),
        (
            "PUT",
            Answer::bytes(
                "application/xml",
                xml("PermanentRedirect", "use the endpoint"),
            )
            .with_status(301),
            "AWS_DEFAULT_REGION",
        ),
        (
            "PATCH",
            Answer::json(&json!({ "detail": "gone" })).with_status(404),
            "the audio is at https://test-bucket.s3",
        ),
        (
            "PATCH",
            Answer::bytes("application/json", "{"),
            "could not be updated",
        ),
    ] {
        let stage = Stage::with(&[], failing(step, fault, 9));
        let (status, answer) = stage.client.post("/predict", &body("a secret text"));
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 500);
        assert!(detail.contains(expected), "{step} {expected}: {detail}");
        for secret in [
            "deepgram-key",
            "aws-secret",
            "a secret text",
            "0123456789abcdef",
        ] {
            assert!(!detail.contains(secret), "{detail}");
        }
    }
}

#[test]
fn a_service_that_hangs_is_given_up_in_time() {
    let stage = Stage::with(&["--service-timeout", "1"], |_| Answer::hang());
    let (status, answer) = stage.client.post("/predict", &body("Hello"));
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("took too long"),
        "{answer}"
    );
}

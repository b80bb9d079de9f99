//! A service that fails in every way.

mod mock;

use std::sync::atomic::{AtomicUsize, Ordering};

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::{Answer, MockService};
use mock::{generated, options, watsonx};
use watsonx_llm::WatsonXModel;

const CONFIG: &str = r#"<View><Text name="t" value="$text"/>
    <TextArea name="prompt" toName="t"/><TextArea name="response" toName="t"/></View>"#;

fn ask(service: &MockService, more: &[&str]) -> (u16, Value) {
    let body = json!({
        "tasks": [{ "id": 1, "data": { "text": "a secret text" } }],
        "label_config": CONFIG,
        "params": { "context": { "result": [{ "from_name": "prompt", "value": { "text": ["p"] } }] } },
    });
    let model = WatsonXModel::new(options(service, more), NetworkOptions::default()).unwrap();
    TestClient::new(model).post("/predict", &body)
}

/// Fails the first time, and answers then.
fn failing_once(fault: Answer) -> MockService {
    let n = AtomicUsize::new(0);
    watsonx(move |_| match n.fetch_add(1, Ordering::Relaxed) {
        0 => fault.clone(),
        _ => generated("at last"),
    })
}

#[test]
fn failures_that_pass_are_waited_for() {
    for fault in [
        Answer::status(429).with_header("retry-after", "0"),
        Answer::status(500).with_header("retry-after", "0"),
        Answer::status(503).with_header("retry-after", "0"),
        Answer::status(520).with_header("retry-after", "0"),
        generated("cut").cut(),
        Answer::hang(),
    ] {
        let service = failing_once(fault.clone());
        let (status, answer) = ask(&service, &["--service-read-timeout", "1.5"]);
        assert_eq!(status, 200, "{fault:?}: {answer}");
        assert_eq!(
            answer["results"][0]["result"][0]["value"]["text"][0],
            "at last"
        );
    }
}

#[test]
fn a_refused_token_is_exchanged_once_more() {
    let service = failing_once(Answer::status(401));
    assert_eq!(ask(&service, &[]).0, 200);
    assert_eq!(service.received_at("/oidc/token").len(), 2);
    let service = watsonx(|_| Answer::status(401));
    let (status, answer) = ask(&service, &[]);
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("not accepted"),
        "{answer}"
    );
    assert_eq!(service.received_at("/ml/v1/text/generation").len(), 2);
}

#[test]
fn failures_that_stay_name_the_cause_and_no_secret() {
    let message = "token-1 may not use the model";
    let refusal = json!({ "errors": [{ "code": "authorization_rejected", "message": message }], "status_code": 403 });
    for (fault, expected) in [
        (
            Answer::json(&refusal).with_status(403),
            "may not use the model",
        ),
        (
            Answer::bytes("application/json", "{\"results\": ["),
            "JSON that was expected",
        ),
        (
            Answer::bytes("application/json", "[]"),
            "without any result",
        ),
        (
            Answer::json(&json!({ "results": [] })),
            "without any result",
        ),
        (
            Answer::bytes("text/html", "<html>maintenance</html>").with_status(404),
            "an HTML page",
        ),
        (Answer::huge(33 << 20), "larger than"),
        (
            Answer::status(302).with_header("location", "http://127.0.0.1:1/"),
            "redirects are not followed",
        ),
    ] {
        let service = watsonx(move |_| fault.clone());
        let (status, answer) = ask(&service, &[]);
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 500, "{answer}");
        assert!(detail.contains(expected), "{detail}");
        for secret in ["token-1", "a secret text", "secret-api-key"] {
            assert!(!detail.contains(secret), "{detail}");
        }
    }
}

#[test]
fn a_service_that_hangs_is_given_up_in_time() {
    let service = watsonx(|_| Answer::hang());
    let (status, answer) = ask(&service, &["--service-timeout", "1"]);
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("took too long"),
        "{answer}"
    );
}

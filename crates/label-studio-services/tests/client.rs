//! What the client does about the faults of a service.

use std::{error::Error, io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};
use label_studio_services::{
    Deadline, Secret, ServiceClient, ServiceError, ServiceOptions, ServiceRequest,
};
use label_studio_testing::{Answer, MockService};
use serde_json::{Value, json};

const KEY: &str = "sk-very-secret";

/// Enough for a mock on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);
/// For mocks that never answer.
const HASTE: Duration = Duration::from_millis(100);

fn client(read_timeout: Duration) -> ServiceClient {
    let options = ServiceOptions {
        read_timeout,
        retries: 2,
        retry_delay: Duration::from_millis(1),
        max_bytes: 1 << 20,
        ..ServiceOptions::default()
    };
    ServiceClient::new(options).unwrap()
}

fn ask(service: &MockService) -> Result<Value, ServiceError> {
    ask_waiting(service, PATIENCE)
}

fn ask_waiting(service: &MockService, read_timeout: Duration) -> Result<Value, ServiceError> {
    let request = ServiceRequest::post(&service.url("/v1/ask?token=in-the-query"))
        .unwrap()
        .bearer(&Secret::from(KEY))
        .json(&json!({ "a": 1 }));
    client(read_timeout).json(&request, Deadline::predict())
}

/// The message with those of its sources.
fn chain(error: &dyn Error) -> String {
    let source = error.source().map(chain);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(&json!({ "error": { "message": message } })).with_status(status)
}

#[test]
fn sends_again_only_what_may_pass() {
    let good = || Answer::json(&json!({ "ok": true }));
    let cases = [
        (
            "429",
            error(429, "slow down").with_header("retry-after", "0"),
            2,
        ),
        ("500", error(500, "oops"), 2),
        (
            "503 page",
            Answer::bytes("text/html", "<h1>Busy</h1>").with_status(503),
            2,
        ),
        ("408", Answer::status(408), 2),
        ("hang", Answer::hang(), 2),
        ("cut", Answer::json(&json!({ "ok": 1 })).cut(), 2),
        (
            "told to",
            error(400, "odd").with_header("x-should-retry", "true"),
            2,
        ),
        ("400", error(400, "wrong field"), 1),
        ("401", error(401, "bad key"), 1),
        ("404", error(404, "no such model"), 1),
        ("no quota", error(429, "insufficient_quota"), 1),
        (
            "told not to",
            error(500, "odd").with_header("x-should-retry", "false"),
            1,
        ),
        (
            "redirect",
            Answer::status(302).with_header("location", "http://127.0.0.1:1/"),
            1,
        ),
        ("no JSON", Answer::bytes("application/json", "{\"a\": "), 1),
        ("huge", Answer::huge(2 << 20), 1),
    ];
    for (name, fault, n_requests) in cases {
        let service = MockService::with_answers([fault, good()]);
        let answer = ask(&service);
        assert_eq!(service.received().len(), n_requests, "{name}: {answer:?}");
        assert_eq!(answer.is_ok(), n_requests > 1, "{name}: {answer:?}");
    }
}

#[test]
fn says_what_went_wrong_in_the_end() {
    let cases = [
        (
            error(401, "Incorrect API key"),
            "answered 401; Incorrect API key; the key is missing or not accepted",
        ),
        (
            error(429, "slow down").with_header("retry-after", "0"),
            "answered 429; slow down",
        ),
        (
            Answer::bytes("text/html", "<p>x").with_status(500),
            "answered 500; an HTML page",
        ),
        (Answer::json(&json!({})).cut(), "ended early"),
        (
            Answer::bytes("application/json", "{"),
            "did not answer with the JSON that was expected",
        ),
        (Answer::huge(2 << 20), "is larger than 1048576 bytes"),
        (
            Answer::status(307),
            "answered 307; redirects are not followed",
        ),
    ];
    for (fault, expected) in cases {
        let service = MockService::with_answers([fault]);
        let message = chain(&ask(&service).unwrap_err());
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        assert!(message.contains("/v1/ask"), "{message:?} names no address");
        assert!(
            !message.contains("in-the-query"),
            "{message:?} shows the query"
        );
    }
}

#[test]
fn a_service_that_hangs_is_given_up() {
    for fault in [Answer::hang(), Answer::json(&json!({})).stalled()] {
        let service = MockService::with_answers([fault]);
        let message = chain(&ask_waiting(&service, HASTE).unwrap_err());
        assert!(message.contains("took too long to answer"), "{message}");
    }
}

#[test]
fn waits_as_long_as_the_service_asks_unless_that_is_too_long() {
    let service = MockService::with_answers([
        error(429, "limit of 3 a minute").with_header("retry-after", "60")
    ]);
    let request = ServiceRequest::get(&service.url("")).unwrap();
    let failure = client(PATIENCE).send(&request, Deadline::after(Duration::from_secs(30)));
    let failure = failure.unwrap_err();
    assert_eq!(service.received().len(), 1);
    assert_eq!(failure.status(), Some(429));
    let message = chain(&failure);
    assert!(message.contains("no time is left"), "{message}");
    assert!(message.contains("limit of 3 a minute"), "{message}");
}

#[test]
fn hides_keys_that_a_service_repeats() {
    let said = format!("key {KEY} is not known");
    let service = MockService::with_answers([error(401, &said)]);
    let failure = ask(&service).unwrap_err();
    assert!(
        chain(&failure).contains("key *** is not known"),
        "{failure}"
    );
    let request = ServiceRequest::get(&service.url(""))
        .unwrap()
        .bearer(&Secret::from(KEY));
    assert!(!format!("{request:?} {failure:?}").contains(KEY));
}

#[test]
fn a_request_that_acts_is_sent_again_only_when_it_was_not_read() {
    for (status, n_requests) in [(429, 2), (503, 2), (500, 1), (409, 1)] {
        let service = MockService::with_answers([error(status, "no"), Answer::json(&json!({}))]);
        let request = ServiceRequest::post(&service.url(""))
            .unwrap()
            .acting_once();
        let _ = client(PATIENCE).send(&request, Deadline::predict());
        assert_eq!(service.received().len(), n_requests, "{status}");
    }
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let service = MockService::with_answers([Answer::status(200)]);
    let url = service.url("");
    drop(service);
    let request = ServiceRequest::get(&url).unwrap();
    let failure = client(PATIENCE)
        .send(&request, Deadline::predict())
        .unwrap_err();
    assert!(
        chain(&failure).contains(&format!("cannot reach {url}")),
        "{}",
        chain(&failure)
    );
}

#[test]
fn sends_what_was_asked_for() {
    let service = MockService::with_answers([Answer::json(&json!({}))]);
    ask(&service).unwrap();
    let request = service.received().remove(0);
    assert_eq!(
        (request.method.as_str(), request.path()),
        ("POST", "/v1/ask")
    );
    assert_eq!(request.query("token").as_deref(), Some("in-the-query"));
    assert_eq!(
        request.header("authorization"),
        Some("Bearer sk-very-secret")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.json(), json!({ "a": 1 }));
}

#[test]
fn a_small_answer_that_unpacks_to_a_large_one_is_refused() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 1 << 20, "{} bytes", packed.len());
    for status in [200, 400] {
        let answer = Answer::bytes("application/json", packed.clone())
            .with_header("content-encoding", "gzip")
            .with_status(status);
        let service = MockService::with_answers([answer]);
        let message = chain(&ask(&service).unwrap_err());
        let expected = match status {
            200 => "is larger than 1048576 bytes",
            _ => "answered 400",
        };
        assert!(message.contains(expected), "{message}");
        assert!(message.len() < 1000, "{} bytes", message.len());
    }
}

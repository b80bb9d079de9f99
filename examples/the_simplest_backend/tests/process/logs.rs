//! Logs that are full, closed or not read, and what is logged.

use std::{
    fs::File,
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::backend::{Backend, CONFIG, command, predict_body, read_answer, request};
use label_studio_ml::{Value, json, serde_json};

/// A backend whose log is never read.
struct Unheard {
    child: Child,
    address: (Ipv4Addr, u16),
}

impl Unheard {
    /// Starts a backend whose standard output and error are made by `output`.
    fn start(level: &str, output: impl Fn() -> Stdio) -> Self {
        // Another program may take the port before the backend does; the backend then ends.
        for _ in 0..10 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut child = command()
                .args(["--host", "127.0.0.1", "--port", &port.to_string()])
                .env("LOG_LEVEL", level)
                .env("CACHE_TYPE", "memory")
                .stdout(output())
                .stderr(output())
                .spawn()
                .unwrap();
            let address = (Ipv4Addr::LOCALHOST, port);
            let started = Instant::now();
            while child.try_wait().unwrap().is_none() {
                if TcpStream::connect(address).is_ok() {
                    return Self { child, address };
                }
                assert!(started.elapsed() < Duration::from_secs(30), "never listens");
                std::thread::yield_now();
            }
        }
        panic!("the backend ends at start");
    }

    fn call(&self, head: &str, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        request(&mut stream, head, &body.to_string());
        read_answer(stream)
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes more log lines than a pipe holds, and checks that every request is answered all the same.
fn check_that_requests_are_answered(output: impl Fn() -> Stdio, keep: impl Fn(&mut Child)) {
    for level in ["INFO", "DEBUG"] {
        let mut backend = Unheard::start(level, &output);
        keep(&mut backend.child);
        for _ in 0..500 {
            assert_eq!(backend.call("GET /nope HTTP/1.1", &Value::Null).0, 404);
        }
        let event =
            json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
        assert_eq!(backend.call("POST /webhook HTTP/1.1", &event).0, 201);
        let (status, answer) = backend.call("POST /predict HTTP/1.1", &predict_body());
        let version = &answer["results"][0]["model_version"];
        assert_eq!((status, version), (200, &json!("trivial-v2")));
        assert_eq!(backend.call("GET /health HTTP/1.1", &Value::Null).0, 200);
        let id = backend.child.id().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-TERM", &id])
            .status();
        assert!(kill.unwrap().success());
        assert!(backend.child.wait().unwrap().success(), "it ends in order");
    }
}

#[test]
fn a_full_log_fails_no_request() {
    let full = || File::create("/dev/full").unwrap().into();
    check_that_requests_are_answered(full, |_| ());
}

#[test]
fn a_closed_log_fails_no_request() {
    check_that_requests_are_answered(Stdio::piped, |child| {
        drop((child.stdout.take(), child.stderr.take()));
    });
}

#[test]
fn a_log_that_is_not_read_delays_no_request() {
    check_that_requests_are_answered(Stdio::piped, |_| ());
}

#[test]
fn lost_lines_are_counted() {
    let full = || File::create("/dev/full").unwrap().into();
    let backend = Unheard::start("INFO", full);
    backend.call("GET /nope HTTP/1.1", &Value::Null);
    let head = "GET /metrics HTTP/1.1\r\nAccept: application/json";
    let started = Instant::now();
    loop {
        let (_, metrics) = backend.call(head, &Value::Null);
        let n_dropped = &metrics["samples"]["label_studio_ml_log_lines_dropped_total"];
        if n_dropped.as_f64().unwrap() > 0.0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{metrics}");
    }
}

#[test]
fn connecting_and_predicting_are_logged() {
    let mut backend = Backend::start(&[]);
    assert!(
        backend.seen.contains("listening on http://127.0.0.1:"),
        "{}",
        backend.seen
    );
    backend.wait_for_log("Connect Model");
    backend.wait_for_log("LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are not set");
    let setup = json!({ "project": "1.1", "schema": CONFIG });
    backend.call("POST /setup HTTP/1.1", &setup);
    let line = backend.wait_for_log("Label Studio connected the project");
    assert!(line.contains("project=1 controls=\"Choices\""), "{line}");
    let head = "POST /predict HTTP/1.1\r\nX-Request-ID: trace-7";
    backend.call(head, &predict_body());
    let line = backend.wait_for_log("predicted");
    for part in [
        "[INFO]",
        "project=1 tasks=1 regions=1 ms=",
        "request_id=trace-7",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn only_what_is_not_set_is_named() {
    let url = ("LABEL_STUDIO_URL", "http://127.0.0.1:1");
    let mut backend = Backend::start(&[url]);
    let line = backend.wait_for_log("not set");
    assert!(line.contains(" LABEL_STUDIO_API_KEY is not set"), "{line}");
}

#[test]
fn log_lines_can_be_json() {
    let mut backend = Backend::start(&[("LOG_FORMAT", "json")]);
    let (status, _) = backend.call("GET /nope HTTP/1.1", &Value::Null);
    assert_eq!(status, 404);
    let line = fields(&backend.wait_for_log("request refused"));
    assert_eq!(
        (&line["level"], &line["status"]),
        (&json!("WARN"), &json!(404))
    );
}

#[test]
fn connecting_and_predicting_are_logged_as_json_with_a_field_for_each_value() {
    let mut backend = Backend::start(&[("LOG_FORMAT", "json")]);
    let setup = json!({ "project": "1.1", "schema": CONFIG });
    backend.call("POST /setup HTTP/1.1", &setup);
    let line = fields(&backend.wait_for_log("Label Studio connected the project"));
    assert_eq!(
        (&line["project"], &line["controls"]),
        (&json!("1"), &json!("Choices"))
    );
    backend.call(
        "POST /predict HTTP/1.1\r\nX-Request-ID: trace-7",
        &predict_body(),
    );
    let line = fields(&backend.wait_for_log("predicted"));
    assert_eq!(
        [
            &line["level"],
            &line["message"],
            &line["project"],
            &line["request_id"]
        ],
        ["INFO", "predicted", "1", "trace-7"]
    );
    assert_eq!((&line["tasks"], &line["regions"]), (&json!(1), &json!(1)));
    assert!(
        line["ms"].is_u64() && line["timestamp"].is_string(),
        "{line}"
    );
}

fn fields(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn no_value_forges_a_log_line() {
    let mut backend = Backend::start(&[]);
    let mut body = predict_body();
    body["project"] = "9\n[now] [INFO] forged\u{1b}[2J".into();
    backend.call("POST /predict HTTP/1.1", &body);
    let line = backend.wait_for_log("predicted");
    assert!(
        line.contains(r"project=9\n[now] [INFO] forged\u{1b}[2J"),
        "{line}"
    );
}

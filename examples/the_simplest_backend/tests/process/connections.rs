//! Connections and requests of every shape.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::backend::{Backend, predict_body};
use label_studio_ml::{Value, json};

#[test]
fn more_idle_connections_than_the_default_file_limit_do_not_block_requests() {
    let backend = Backend::start_limited("ulimit -Sn 128");
    let connect = |idx: usize| {
        let mut stream = TcpStream::connect(&backend.address).unwrap();
        // Half of them have begun to ask.
        if idx.is_multiple_of(2) {
            stream.write_all(b"POST /predict HTTP/1.1\r\nX: ").unwrap();
        }
        stream
    };
    let idle: Vec<_> = (0..400).map(connect).collect();
    assert_eq!(backend.call("GET /health HTTP/1.1", &Value::Null).0, 200);
    assert_eq!(
        backend.call("POST /predict HTTP/1.1", &predict_body()).0,
        200
    );
    drop(idle);
}

/// Sends bytes and returns all that comes until the server closes the connection.
fn raw(backend: &Backend, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(&backend.address).unwrap();
    // A server that has refused already may not want the rest.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn requests_of_odd_shapes_are_answered_or_refused() {
    let backend = Backend::start(&[]);
    let ask = |head: &str, body: &str| raw(&backend, format!("{head}\r\n\r\n{body}").as_bytes());
    let cases = [
        ("GET /health HTTP/1.0", "", "200"),
        (
            "GET http://elsewhere/health HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "200",
        ),
        (
            "GET /health?a=%00&a=%ff HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "200",
        ),
        (
            "GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "404",
        ),
        (
            "GET /%2e%2e/health HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "404",
        ),
        (
            "GET //health HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "404",
        ),
        (
            "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "404",
        ),
        (
            "CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "404",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close",
            "",
            "404",
        ),
        ("GET /health HTTP/9.9\r\nHost: x", "", "400"),
        ("GET /health\0 HTTP/1.1\r\nHost: x", "", "400"),
        ("GET /health HTTP/1.1\r\nHost x", "", "400"),
        (
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: -1",
            "{}",
            "400",
        ),
        (
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3",
            "{}",
            "400",
        ),
        (
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip",
            "{}",
            "400",
        ),
        (
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close",
            "zz\r\n{}\r\n",
            "400",
        ),
        (
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close",
            "2\r\n{}\r\n0\r\n\r\n",
            "200",
        ),
        (
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close",
            "{}",
            "100",
        ),
    ];
    for (head, body, status) in cases {
        let answer = ask(head, body);
        let answered = answer.split(' ').nth(1).unwrap_or("nothing");
        assert_eq!(answered, status, "{head}\n{answer}");
    }
    let flood = "X-Flood: 0123456789\r\n";
    for n_headers in [101, 10_000] {
        let answer = ask(
            &format!("GET /health HTTP/1.1\r\n{}Host: x", flood.repeat(n_headers)),
            "",
        );
        assert!(answer.contains(" 431 ") || answer.is_empty(), "{answer}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: x", "a".repeat(100_000));
    let answer = ask(&long, "");
    assert!(
        answer.contains(" 431 ") || answer.contains(" 414 ") || answer.is_empty(),
        "{answer}"
    );
    assert_eq!(backend.call("GET /health HTTP/1.1", &Value::Null).0, 200);
}

#[test]
fn no_second_request_is_smuggled_into_the_body_of_a_first() {
    let backend = Backend::start(&[]);
    // A server that counts bytes ends the request before `GET`, one that reads chunks after it, and
    // the other way round.
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let shapes = [
        format!(
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!(
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!(
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!(
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nHost: x\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{hidden}"
        ),
        format!(
            "POST /webhook HTTP/1.1\r\nContent-Type: application/json\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\n{hidden}"
        ),
    ];
    for shape in shapes {
        let answer = raw(&backend, shape.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{shape}\n{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{shape}\n{answer}");
    }
}

#[test]
fn the_status_line_has_the_reason_of_an_error() {
    let backend = Backend::start(&[]);
    let answer = raw(
        &backend,
        b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: trace-1\r\n\
          Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    );
    let mut lines = answer.lines();
    assert_eq!(
        lines.next(),
        Some("HTTP/1.1 400 the body is not a JSON object")
    );
    assert!(
        lines.any(|line| line == "x-request-id: trace-1"),
        "{answer}"
    );
}

#[test]
fn clients_that_read_no_answer_do_not_delay_the_end() {
    let mut backend = Backend::start(&[]);
    // Answers that are larger than the buffers of a connection.
    let config = r#"<View><Text name="t" value="$t"/><TextArea name="echo" toName="t"/></View>"#;
    let task = json!({ "data": { "t": "x".repeat(10_000) } });
    let tasks = vec![task; 2000];
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": config }).to_string();
    let slow: Vec<_> = (0..2)
        .map(|_| backend.send("POST /predict HTTP/1.1", &body))
        .collect();
    for _ in &slow {
        backend.wait_for_log("predicted");
    }
    backend.signal("TERM");
    let started = Instant::now();
    assert!(backend.child.wait().unwrap().success());
    // Less than the 110 s that running calls get.
    assert!(started.elapsed() < Duration::from_secs(60));
    drop(slow);
}

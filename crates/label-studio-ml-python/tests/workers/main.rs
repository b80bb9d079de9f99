//! Worker processes behind the whole server. A small mock program takes the part of the Python model and asks the test what to do.

mod mock;
mod training;

use std::{
    collections::HashSet,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::Arc,
    thread,
    time::Duration,
};

use label_studio_ml::{
    Value, json,
    raw::{RawModel, RawRequest},
};
use label_studio_ml_python::workers::{Workers, WorkersOptions};

use mock::{Asking, Mock, options, program};

fn check_crash(order: &str, said: &str) {
    let mock = Mock::with_workers(1);
    let before = mock.process();
    let call = mock.send("/predict", "crashing");
    mock.asking().tell(order);
    let (status, answer) = call.join().unwrap();
    assert_eq!(status, 500, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains(said), "{detail}");
    assert!(answer["request_id"].is_string());
    assert_ne!(
        mock.process(),
        before,
        "another process answers the next call"
    );
}

#[test]
fn a_crash_costs_the_call_that_caused_it() {
    check_crash("exit 7", "ended with exit code 7");
    check_crash("exit 3", "ended with exit code 3");
    check_crash("exit 0", "ended with exit code 0");
    check_crash("segfault", "segmentation fault");
    check_crash("abort", "aborted");
    check_crash("close", "closed the connection");
}

#[test]
fn what_a_model_prints_does_not_reach_the_answer() {
    let mock = Mock::with_workers(1);
    let call = mock.send("/predict", "loud");
    mock.asking().tell("print");
    assert_eq!(call.join().unwrap().0, 200);
}

#[test]
fn errors_of_the_model_keep_status_and_text() {
    let mock = Mock::with_workers(1);
    let call = mock.send("/predict", "failing");
    mock.asking().tell("fail");
    let (status, answer) = call.join().unwrap();
    assert_eq!((status, &answer["detail"]), (404, &json!("no such file")));
}

#[test]
fn a_call_beside_the_one_that_crashes_is_answered() {
    let mock = Mock::with_workers(1);
    let harmless = mock.send("/predict", "harmless");
    let held = mock.asking();
    let crashing = mock.send("/predict", "crashing");
    mock.asking().tell("exit 7");
    // Both are tried once more, one after the other.
    for _ in 0..2 {
        let asking = mock.asking();
        assert_ne!(asking.process, held.process);
        let order = if asking.call == "crashing" {
            "exit 7"
        } else {
            "answer"
        };
        asking.tell(order);
    }
    assert_eq!(harmless.join().unwrap().0, 200);
    assert_eq!(crashing.join().unwrap().0, 500);
}

#[test]
fn a_killed_process_costs_nothing_and_a_call_that_gets_it_killed_ends() {
    let mock = Mock::with_workers(2);
    let call = mock.send("/predict", "unlucky");
    mock.asking().tell("kill");
    mock.asking().tell("answer");
    assert_eq!(call.join().unwrap().0, 200);
    let call = mock.send("/predict", "too large");
    for _ in 0..3 {
        mock.asking().tell("kill");
    }
    let (status, answer) = call.join().unwrap();
    assert_eq!(status, 500);
    assert!(answer["detail"].as_str().unwrap().contains("memory"));
}

#[test]
fn a_call_past_its_deadline_ends_its_process() {
    let deadline = Some(Duration::from_millis(300));
    let mock = Mock::start(
        "works",
        WorkersOptions {
            predict_deadline: deadline,
            ..options(1)
        },
    );
    let before = mock.process();
    let call = mock.send("/predict", "hanging");
    let _held = mock.asking();
    let (status, answer) = call.join().unwrap();
    assert_eq!(status, 504, "{answer}");
    assert_ne!(mock.process(), before);
}

#[test]
fn a_worker_that_trains_gets_no_predictions_while_another_is_idle() {
    let mock = Mock::with_workers(2);
    mock.wait_for_processes(2.0);
    let training = mock.send("/webhook", "training");
    let held = mock.asking();
    let processes: HashSet<u64> = (0..20).map(|_| mock.process()).collect();
    assert_eq!(processes.len(), 1);
    assert!(!processes.contains(&held.process));
    held.tell("answer");
    assert_eq!(training.join().unwrap().0, 201);
}

#[test]
fn a_busy_model_still_answers_setup() {
    let mock = Mock::with_workers(1);
    let calls: Vec<_> = (0..4)
        .map(|number| mock.send("/predict", &number.to_string()))
        .collect();
    let held: Vec<Asking> = (0..4).map(|_| mock.asking()).collect();
    let (status, answer) = mock.client.post("/setup", &json!({ "project": "1" }));
    assert_eq!(
        (status, answer["process"].as_u64()),
        (200, Some(held[0].process))
    );
    for asking in held {
        asking.tell("answer");
    }
    for call in calls {
        assert_eq!(call.join().unwrap().0, 200);
    }
}

#[test]
fn calls_go_on_in_the_other_worker_while_one_is_started_again() {
    let mock = Mock::with_workers(2);
    mock.wait_for_processes(2.0);
    for round in 0..3 {
        let crashing = mock.send("/predict", "crashing");
        let others: Vec<_> = (0..20)
            .map(|_| {
                let client = Arc::clone(&mock.client);
                thread::spawn(move || client.post("/predict", &json!({ "tasks": [] })).0)
            })
            .collect();
        // It may be tried once more, if the others met it in its process.
        mock.orders.set_nonblocking(true).unwrap();
        while !crashing.is_finished() {
            match mock.orders.accept() {
                Ok((mut stream, _)) => writeln!(stream, "segfault").unwrap(),
                Err(_) => thread::yield_now(),
            }
        }
        for other in others {
            assert_eq!(other.join().unwrap(), 200, "round {round}");
        }
        assert_eq!(crashing.join().unwrap().0, 500);
    }
}

#[test]
fn a_caller_that_leaves_does_not_take_the_connection_along() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let orders = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = orders.local_addr().unwrap().port();
    let asks = RawRequest::new(json!({ "ask": port }).to_string());
    runtime.block_on(async {
        let options = WorkersOptions {
            n_threads: 1,
            ..options(1)
        };
        let workers = Workers::start(program("works"), options);
        let asking = tokio::task::spawn_blocking(move || orders.accept().unwrap().0);
        let stream = tokio::select! {
            answer = workers.predict_raw(asks) => panic!("{answer:?}"),
            stream = asking => stream.unwrap(),
        };
        // The only thread is still busy with the call of the caller who left.
        let next = workers.predict_raw(RawRequest::new("{}"));
        tokio::pin!(next);
        let told = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            writeln!(&stream, "answer").unwrap();
            serde_json::from_str::<Value>(&line).unwrap()
        });
        let (answer, told) = tokio::join!(next, told);
        let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
        assert_eq!(answer["process"], told.unwrap()["process"]);
        workers.stop().await;
    });
}

#[test]
fn the_last_running_worker_is_not_used_for_a_retry() {
    let mock = Mock::with_workers(2);
    mock.wait_for_processes(2.0);
    let calls: Vec<_> = ["harmless", "elsewhere", "crashing"]
        .into_iter()
        .map(|call| {
            let running = mock.send("/predict", call);
            (running, mock.asking())
        })
        .collect();
    let [(harmless, first), (elsewhere, other), (crashing, last)] =
        <[_; 3]>::try_from(calls).ok().unwrap();
    assert_eq!(first.process, last.process);
    assert_ne!(first.process, other.process);
    last.tell("exit 7");
    for _ in 0..2 {
        let again = mock.asking();
        assert_ne!(again.process, other.process);
        let order = if again.call == "crashing" {
            "exit 7"
        } else {
            "answer"
        };
        again.tell(order);
    }
    other.tell("answer");
    assert_eq!(harmless.join().unwrap().0, 200);
    assert_eq!(elsewhere.join().unwrap().0, 200);
    assert_eq!(crashing.join().unwrap().0, 500);
}

#[test]
fn readiness_says_why_the_model_cannot_be_loaded() {
    for (mode, said) in [("fails", "ImportError: torch"), ("ends", "exit code 4")] {
        let mock = Mock::start(mode, options(2));
        let (status, answer) = mock.client.post("/predict", &json!({ "tasks": [] }));
        assert_eq!(status, 503);
        assert!(
            answer["detail"].as_str().unwrap().contains(said),
            "{answer}"
        );
        let (status, answer) = mock.client.get("/ready");
        assert_eq!(status, 503);
        assert!(
            answer["detail"].as_str().unwrap().contains(said),
            "{answer}"
        );
        assert_eq!(mock.client.get("/health").0, 200);
    }
}

#[test]
fn the_health_check_names_the_model_class() {
    let mock = Mock::with_workers(1);
    mock.process();
    assert_eq!(mock.client.get("/health").1["model_class"], "Mock");
    assert_eq!(mock.client.get("/ready").0, 200);
}

fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02X}").unwrap();
    }
    encoded
}

#[test]
fn a_custom_route_is_answered_by_the_worker() {
    let mock = Mock::start("custom", options(1));
    let answer = r#"[201,[["content-length","7"],["connection","close"]]]"#;
    let path = format!("/mine/%2e%2e/x?{}", percent(answer));
    let headers = [("x-mine", "1"), ("content-type", "text/plain")];
    let (status, answer) = mock.client.send("PUT", &path, &headers, "not JSON");
    assert_eq!(status, 201);
    assert_eq!(answer["method"], "PUT");
    assert_eq!(answer["target"], json!(path));
    assert_eq!(answer["body"], "not JSON");
    assert_eq!(
        answer["headers"],
        json!([["x-mine", "1"], ["content-type", "text/plain"]])
    );
    let by_method = mock
        .client
        .get(&format!("/predict?{}", percent("[200,[]]")));
    assert_eq!((by_method.0, &by_method.1["method"]), (200, &json!("GET")));
}

#[test]
fn a_large_body_goes_there_and_back() {
    let mock = Mock::start("custom", options(1));
    let body = "0123456789".repeat(400_000);
    let path = format!("/x?{}", percent("[200,[]]"));
    let (status, answer) = mock.client.send("POST", &path, &[], body.clone());
    assert_eq!(status, 200);
    assert!(answer["body"] == body);
}

#[test]
fn a_path_without_a_route_is_refused_by_the_server() {
    let mock = Mock::start("custom", options(1));
    let unknown = percent("[0,[]]");
    let (status, answer) = mock.client.get(&format!("/x?{unknown}"));
    assert_eq!((status, &answer["detail"]), (404, &json!("there is no /x")));
    let (status, answer) = mock.client.get(&format!("/predict?{unknown}"));
    assert_eq!(status, 405, "{answer}");
    let none = Mock::with_workers(1);
    let (status, answer) = none.client.get("/x?exit");
    assert_eq!((status, &answer["detail"]), (404, &json!("there is no /x")));
}

#[test]
fn an_answer_that_cannot_be_sent_is_an_error_of_the_app() {
    let mock = Mock::start("custom", options(1));
    for (query, said) in [
        ("[42,[]]", "status 42"),
        ("[101,[]]", "status 101"),
        (r#"[200,[["a b","c"]]]"#, "a header \"a b\""),
        (r#"[200,[["a","b\nc: d"]]]"#, "a header \"a\""),
        (r#"[200,[["a","\u2603"]]]"#, "a header \"a\""),
        (r#"[200,{"a":1}]"#, "cannot be read"),
    ] {
        let (status, answer) = mock.client.get(&format!("/x?{}", percent(query)));
        assert_eq!(status, 500, "{answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{detail}");
    }
}

#[test]
fn a_crash_in_a_custom_route_fails_that_request() {
    let mock = Mock::start("custom", options(1));
    let before = mock.process();
    let (status, answer) = mock.client.send("POST", "/x?exit", &[], "");
    assert_eq!(status, 500, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("exit code 7"));
    assert_ne!(mock.process(), before);
}

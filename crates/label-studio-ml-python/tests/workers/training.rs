//! Trainings in worker processes: as jobs that report, that are cancelled, and that a crash cuts short.

use std::{thread, time::Duration};

use label_studio_ml::{ServerArgs, Value, json};
use label_studio_ml_python::workers::WorkersOptions;

use crate::mock::{Mock, options};

/// Waits until a job is as expected.
fn wait_for_job(mock: &Mock, number: u32, is_expected: impl Fn(&Value) -> bool) -> Value {
    loop {
        let (status, job) = mock.client.get(&format!("/jobs/{number}"));
        if status == 200 && is_expected(&job) {
            return job;
        }
        thread::yield_now();
    }
}

fn cancel(mock: &Mock, number: u32) {
    let path = format!("/jobs/{number}");
    let (status, answer) = mock.client.send("DELETE", &path, &[], "");
    assert!(status < 300, "{answer}");
}

#[test]
fn what_a_training_says_reaches_its_job() {
    let mock = Mock::with_workers(1);
    let training = mock.send("/webhook", "1");
    mock.asking().tell("news");
    let asking = mock.asking();
    let job = wait_for_job(&mock, 1, |job| job["progress"] == 0.5);
    assert_eq!(job["message"], "half");
    assert_eq!(job["state"], "running");
    asking.tell("answer");
    training.join().unwrap();
    let job = wait_for_job(&mock, 1, |job| job["state"] == "done");
    assert!(job["result"]["process"].is_u64(), "{job}");
    let (_, log) = mock.client.get("/jobs/1/log");
    assert!(log.to_string().contains("a line"), "{log}");
    assert!(mock.process() > 0, "the connection is used again");
}

#[test]
fn a_training_that_looks_ends_when_it_is_cancelled() {
    let mock = Mock::with_workers(1);
    let before = mock.process();
    let training = mock.send("/webhook", "1");
    mock.asking().tell("await-cancel");
    cancel(&mock, 1);
    // It asks again once it has been told.
    mock.asking().tell("answer");
    wait_for_job(&mock, 1, |job| job["state"] == "cancelled");
    training.join().unwrap();
    assert_eq!(mock.process(), before, "the process goes on");
}

#[test]
fn a_cancelled_training_that_goes_on_is_killed_with_its_process() {
    let options = WorkersOptions {
        cancel_grace: Duration::ZERO,
        ..options(1)
    };
    let mock = Mock::start("works", options);
    let before = mock.process();
    let training = mock.send("/webhook", "1");
    let _held = mock.asking();
    cancel(&mock, 1);
    let job = wait_for_job(&mock, 1, |job| job["state"] == "cancelled");
    assert_eq!((&job["attempts"], &job["error"]), (&json!(1), &Value::Null));
    training.join().unwrap();
    assert_ne!(mock.process(), before);
}

#[test]
fn calls_beside_a_cancelled_training_are_answered() {
    let options = WorkersOptions {
        cancel_grace: Duration::ZERO,
        ..options(1)
    };
    let mock = Mock::start("works", options);
    let prediction = mock.send("/predict", "beside it");
    let held = mock.asking();
    let training = mock.send("/webhook", "1");
    let _training = mock.asking();
    cancel(&mock, 1);
    let again = mock.asking();
    assert_eq!(again.call, "beside it");
    assert_ne!(again.process, held.process);
    again.tell("answer");
    assert_eq!(prediction.join().unwrap().0, 200);
    wait_for_job(&mock, 1, |job| job["state"] == "cancelled");
    training.join().unwrap();
}

#[test]
fn a_training_that_waits_for_a_worker_can_be_cancelled() {
    let args = ServerArgs {
        fit_threads: 8,
        ..ServerArgs::default()
    };
    let mock = Mock::with_args("works", options(1), &args);
    let others: Vec<_> = (0..4)
        .map(|number| mock.send("/webhook", &number.to_string()))
        .collect();
    let held: Vec<_> = others.iter().map(|_| mock.asking()).collect();
    let last = mock.send("/webhook", "last");
    wait_for_job(&mock, 5, |job| job["state"] == "running");
    cancel(&mock, 5);
    wait_for_job(&mock, 5, |job| job["state"] == "cancelled");
    for asking in held {
        asking.tell("answer");
    }
    for training in others.into_iter().chain([last]) {
        training.join().unwrap();
    }
}

#[test]
fn a_training_whose_process_ends_is_started_again_and_fails_after_its_attempts() {
    let args = ServerArgs {
        fit_attempts: 2,
        ..ServerArgs::default()
    };
    for (order, said) in [
        ("exit 7", "ended with exit code 7"),
        ("segfault", "segmentation fault"),
        ("kill", "memory"),
        ("close", "closed the connection"),
    ] {
        let mock = Mock::with_args("works", options(1), &args);
        let training = mock.send("/webhook", "1");
        let first = mock.asking();
        let process = first.process;
        first.tell(order);
        let second = mock.asking();
        assert_ne!(second.process, process);
        let job = wait_for_job(&mock, 1, |job| job["attempts"] == 2);
        assert_eq!(job["state"], "running");
        second.tell(order);
        let job = wait_for_job(&mock, 1, |job| job["state"] == "failed");
        let error = job["error"].as_str().unwrap();
        assert!(error.contains(said), "{order}: {error}");
        assert_ne!(mock.process(), process);
        training.join().unwrap();
    }
}

#[test]
fn a_training_that_ends_its_process_costs_no_prediction() {
    let mock = Mock::with_workers(1);
    let prediction = mock.send("/predict", "beside it");
    let held = mock.asking();
    let training = mock.send("/webhook", "training");
    mock.asking().tell("exit 7");
    let (status, answer) = training.join().unwrap();
    assert_eq!(status, 500);
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("is tried again"), "{detail}");
    drop(held);
    // Both are tried once more, in any order.
    for _ in 0..2 {
        let again = mock.asking();
        assert!(["beside it", "training"].contains(&again.call.as_str()));
        again.tell("answer");
    }
    assert_eq!(prediction.join().unwrap().0, 200);
    wait_for_job(&mock, 1, |job| job["state"] == "done");
}

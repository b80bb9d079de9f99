//! How much is asked at once, and how much in all.

use std::{
    sync::{Condvar, Mutex},
    time::Duration,
};

use label_studio_ml::json;
use label_studio_testing::MockService;

use crate::mock::{
    RESPONSE, asked, backend, batch, completion, default_prompt, label_config, saying,
};

/// Lets callers in once `n` of them are there, or after a time that only a failing test needs.
struct Meeting {
    n: usize,
    n_there: Mutex<usize>,
    complete: Condvar,
}

impl Meeting {
    fn join(&self) {
        let mut n_there = self.n_there.lock().unwrap();
        *n_there += 1;
        self.complete.notify_all();
        let wait = Duration::from_secs(20);
        drop(
            self.complete
                .wait_timeout_while(n_there, wait, |n| *n < self.n)
                .unwrap(),
        );
    }
}

#[test]
fn as_many_tasks_as_allowed_are_asked_about_at_once_and_keep_their_order() {
    let meeting = Meeting {
        n: 10,
        n_there: Mutex::new(0),
        complete: Condvar::new(),
    };
    let chat_model = MockService::start(move |request| {
        meeting.join();
        completion(&[request.json()["messages"][0]["content"].as_str().unwrap()])
    });
    let texts: Vec<_> = (0..500).map(|idx| idx.to_string()).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let flags = [&default_prompt("{text}")[..], &["--parallelism", "10"]].concat();
    let answer = backend(&chat_model, &flags).predict(&batch(&label_config(RESPONSE), &texts));
    let results = answer["results"].as_array().unwrap().iter();
    let answers: Vec<_> = results
        .map(|p| p["result"][0]["value"]["text"][0].as_str().unwrap())
        .collect();
    assert_eq!(answers, texts);
    assert_eq!(chat_model.max_open(), 10);
}

#[test]
fn when_time_runs_out_the_tasks_that_are_done_are_answered() {
    let chat_model =
        MockService::start(
            |request| match request.json()["messages"][0]["content"].as_str() {
                Some("slow") => label_studio_testing::Answer::hang(),
                _ => completion(&["done"]),
            },
        );
    let texts = ["quick", "slow", "quick", "slow", "late"];
    let flags = [
        &default_prompt("{text}")[..],
        &["--parallelism", "2", "--service-timeout", "3"],
    ]
    .concat();
    let answer = backend(&chat_model, &flags).predict(&batch(&label_config(RESPONSE), &texts));
    let results = answer["results"].as_array().unwrap();
    for idx in [0, 2] {
        assert_eq!(results[idx]["result"][0]["value"]["text"][0], "done");
    }
    for idx in [1, 3, 4] {
        let error = results[idx]["error"].as_str().unwrap();
        assert!(
            error.contains("took too long") || error.contains("no time"),
            "{error}"
        );
    }
}

#[test]
fn nothing_is_asked_beyond_the_budget() {
    let budgets = [
        vec!["--token-budget", "30"],
        vec![
            "--cost-budget",
            "0.5",
            "--input-price",
            "10000",
            "--output-price",
            "30000",
        ],
    ];
    for budget in budgets {
        let chat_model = saying("ok");
        let flags = [
            &default_prompt("{text}")[..],
            &["--parallelism", "1"],
            &budget,
        ]
        .concat();
        let backend = backend(&chat_model, &flags);
        let answer = backend.predict(&batch(&label_config(RESPONSE), &["a", "b", "c", "d"]));
        let results = answer["results"].as_array().unwrap();
        // An answer takes 15 tokens and costs 0.25.
        assert_eq!(chat_model.received().len(), 2);
        assert!(results[1].get("result").is_some());
        for result in &results[2..] {
            assert!(
                result["error"].as_str().unwrap().contains("the budget of"),
                "{result}"
            );
        }
    }
}

#[test]
fn a_batch_that_was_answered_before_costs_nothing() {
    let chat_model = saying("ok");
    let flags = default_prompt("{text}");
    let backend = backend(&chat_model, &flags);
    let request = batch(&label_config(RESPONSE), &["a", "b"]);
    let mut answers = [backend.predict(&request), backend.predict(&request)];
    assert_eq!(chat_model.received().len(), 2);
    for answer in &mut answers {
        for result in answer["results"].as_array_mut().unwrap() {
            let regions = result["result"].as_array_mut().unwrap();
            for region in regions {
                region["id"] = json!(null);
            }
        }
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn who_asks_again_gets_another_answer_unless_there_is_only_one() {
    for (temperature, n_requests) in [("0.7", 2), ("0", 1)] {
        let chat_model = saying("ok");
        let backend = backend(&chat_model, &["--temperature", temperature]);
        let request = asked(&label_config(RESPONSE), &json!({ "text": "T" }), "P");
        backend.predict(&request);
        backend.predict(&request);
        assert_eq!(chat_model.received().len(), n_requests, "{temperature}");
    }
}

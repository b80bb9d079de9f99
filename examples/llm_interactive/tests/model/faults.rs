//! What happens when the chat model fails.

use label_studio_ml::{Value, json};
use label_studio_testing::{Answer, MockService};

use crate::mock::{
    KEY, RESPONSE, TOPIC, asked, backend, batch, completion, default_prompt, label_config, value,
};

fn error(status: u16, message: &str) -> Answer {
    Answer::json(&json!({ "error": { "message": message } })).with_status(status)
}

fn request() -> Value {
    asked(&label_config(TOPIC), &json!({ "text": "T" }), "P")
}

#[test]
fn a_failure_that_passes_is_not_seen() {
    let broken = || error(500, "oops").with_header("retry-after", "0");
    let limited = || error(429, "slow down").with_header("retry-after", "0");
    let cut = || completion(&["sports"]).cut();
    for faults in [
        [broken(), broken()],
        [limited(), broken()],
        [cut(), limited()],
    ] {
        let n_faults = faults.len();
        let chat_model =
            MockService::with_answers(faults.into_iter().chain([completion(&["sports"])]));
        let answer = backend(&chat_model, &[]).predict(&request());
        assert_eq!(value(&answer, "topic"), json!({ "choices": ["sports"] }));
        assert_eq!(chat_model.received().len(), n_faults + 1);
    }
}

#[test]
fn a_failure_that_stays_is_told_with_its_cause_and_without_the_key() {
    let quoted = format!("Incorrect API key provided: {KEY}");
    let cases = [
        (
            error(401, &quoted),
            1,
            "answered 401; Incorrect API key provided: ***; the key is missing or not accepted",
        ),
        (
            error(404, "The model `x` does not exist"),
            1,
            "answered 404; The model `x` does not exist",
        ),
        (
            error(400, "n is too large"),
            1,
            "answered 400; n is too large",
        ),
        (
            error(429, "insufficient_quota"),
            1,
            "answered 429; insufficient_quota",
        ),
        (
            error(500, "oops").with_header("retry-after", "0"),
            4,
            "answered 500; oops",
        ),
        (
            error(429, "later").with_header("retry-after", "3600"),
            1,
            "answered 429; later",
        ),
        (
            Answer::bytes("application/json", "{\"choices\": ["),
            1,
            "did not answer with the JSON",
        ),
        (
            Answer::json(&json!({ "choices": [] })),
            1,
            "without any choice",
        ),
        (Answer::huge(33 << 20), 1, "is larger than 33554432 bytes"),
    ];
    for (fault, n_requests, expected) in cases {
        let chat_model = MockService::with_answers([fault]);
        let (status, answer) = backend(&chat_model, &[]).post("/predict", &request());
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 500, "{detail}");
        assert!(detail.contains(expected), "{detail:?} lacks {expected:?}");
        assert!(!answer.to_string().contains(KEY), "{answer}");
        assert_eq!(chat_model.received().len(), n_requests, "{expected}");
    }
}

#[test]
fn a_chat_model_that_hangs_is_given_up() {
    let chat_model = MockService::with_answers([Answer::hang()]);
    let flags = ["--service-read-timeout", "0.1", "--service-retries", "0"];
    let (status, answer) = backend(&chat_model, &flags).post("/predict", &request());
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("took too long to answer"),
        "{answer}"
    );
}

#[test]
fn of_a_stream_that_outlasts_the_time_what_has_arrived_is_kept_and_marked() {
    let piece = json!({ "choices": [{ "index": 0, "delta": { "content": "It is abou" } }] });
    let chat_model = MockService::with_answers([Answer::events([piece.to_string()]).stalled()]);
    let flags = ["--stream", "--service-timeout", "2"];
    let request = asked(&label_config(RESPONSE), &json!({ "text": "T" }), "P");
    let answer = backend(&chat_model, &flags).predict(&request);
    assert_eq!(
        value(&answer, "response"),
        json!({ "text": ["It is abou"] })
    );
    let note = &answer["results"][0]["result"][0]["meta"]["text"][0];
    assert!(note.as_str().unwrap().contains("cut off"), "{answer}");
}

#[test]
fn a_stream_that_breaks_is_an_error() {
    let piece = json!({ "choices": [{ "index": 0, "delta": { "content": "It is abou" } }] });
    let chat_model = MockService::with_answers([Answer::events([piece.to_string()])]);
    let (status, answer) = backend(&chat_model, &["--stream"]).post("/predict", &request());
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("ended early"),
        "{answer}"
    );
}

#[test]
fn a_streamed_answer_is_whole() {
    let piece = |text: &str| {
        json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }).to_string()
    };
    let end =
        json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }).to_string();
    let events = [
        piece("po"),
        piece("litics\nte"),
        piece("ch"),
        end,
        "[DONE]".to_owned(),
    ];
    let chat_model = MockService::with_answers([Answer::events(events)]);
    let answer = backend(&chat_model, &["--stream"]).predict(&request());
    assert_eq!(
        value(&answer, "topic"),
        json!({ "choices": ["politics", "technology"] })
    );
}

#[test]
fn one_failing_task_does_not_lose_the_others() {
    let chat_model = MockService::start(|request| {
        let question = request.json()["messages"][0]["content"].clone();
        match question.as_str().unwrap() {
            "About bad" => error(400, "content policy"),
            "About lost" => completion(&["x"]).cut(),
            question => completion(&[&question["About ".len()..]]),
        }
    });
    let texts = ["sports", "bad", "politics", "lost", "technology"];
    let flags = [
        &default_prompt("About {text}")[..],
        &["--service-retries", "0"],
    ]
    .concat();
    let answer = backend(&chat_model, &flags).predict(&batch(&label_config(TOPIC), &texts));
    let results = answer["results"].as_array().unwrap();
    let choice = |idx: usize| &results[idx]["result"][0]["value"]["choices"][0];
    assert_eq!(
        [choice(0), choice(2), choice(4)],
        ["sports", "politics", "technology"]
    );
    for (idx, cause) in [(1, "content policy"), (3, "ended early")] {
        assert_eq!(results[idx].get("result"), None);
        assert!(
            results[idx]["error"].as_str().unwrap().contains(cause),
            "{}",
            results[idx]
        );
    }
}

#[test]
fn a_wrong_key_is_not_tried_for_every_task() {
    let chat_model = MockService::with_answers([error(401, "no such key")]);
    let texts = ["T"; 200];
    let flags = [&default_prompt("{text}")[..], &["--parallelism", "4"]].concat();
    let (status, answer) =
        backend(&chat_model, &flags).post("/predict", &batch(&label_config(TOPIC), &texts));
    assert_eq!(status, 500);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("none of 200 tasks") && detail.contains("answered 401"),
        "{detail}"
    );
    assert!(
        chat_model.received().len() <= 4,
        "{} requests",
        chat_model.received().len()
    );
}

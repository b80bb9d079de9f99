//! Chat models behind OpenAI's API.

use std::{sync::Arc, time::Duration};

use label_studio_services::{
    AzureDeployment, Budget, ChatClient, ChatEndpoint, ChatError, ChatReply, Deadline, Prices,
    ResponseCache, Secret, ServiceClient, ServiceOptions, Usage,
};
use label_studio_testing::{Answer, MockService};
use serde_json::{Value, json};

fn chat(service: &MockService) -> ChatClient {
    let options = ServiceOptions {
        retries: 1,
        retry_delay: Duration::from_millis(1),
        max_bytes: 1 << 20,
        ..ServiceOptions::default()
    };
    let endpoint = ChatEndpoint::compatible(&service.url("/v1"), Some(&Secret::from("sk-key")));
    ChatClient::new(ServiceClient::new(options).unwrap(), endpoint.unwrap())
}

fn question() -> Value {
    json!({ "model": "m", "messages": [{ "role": "user", "content": "Which animal is this?" }] })
}

fn ask(chat: &ChatClient) -> Result<ChatReply, ChatError> {
    chat.ask(&question(), Deadline::predict())
}

fn completion(text: &str) -> Value {
    json!({
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 2 },
    })
}

fn piece(text: &str) -> String {
    json!({ "choices": [{ "index": 0, "delta": { "content": text } }] }).to_string()
}

#[test]
fn an_answer_is_read_whole() {
    let service = MockService::with_answers([Answer::json(&completion("a cat"))]);
    let reply = ask(&chat(&service)).unwrap();
    assert_eq!(reply.texts(), ["a cat"]);
    assert_eq!(
        reply.usage,
        Usage {
            input_tokens: 10,
            output_tokens: 2
        }
    );
    assert!(!reply.is_cut());
    let request = service.received().remove(0);
    assert_eq!(request.path(), "/v1/chat/completions");
    assert_eq!(request.json(), question());
}

#[test]
fn an_answer_is_put_together_from_its_pieces() {
    let end =
        json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }).to_string();
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 7, "completion_tokens": 3 } })
        .to_string();
    let events = [
        piece("a "),
        piece("c"),
        piece("at"),
        end,
        usage,
        "[DONE]".to_owned(),
    ];
    let service = MockService::with_answers([Answer::events(events)]);
    let reply = ask(&chat(&service).with_streaming(true)).unwrap();
    assert_eq!(reply.texts(), ["a cat"]);
    assert_eq!(
        reply.usage,
        Usage {
            input_tokens: 7,
            output_tokens: 3
        }
    );
    assert_eq!(service.received()[0].json()["stream"], true);
}

#[test]
fn a_server_that_does_not_stream_though_asked_is_understood() {
    let service = MockService::with_answers([Answer::json(&completion("a cat"))]);
    let reply = ask(&chat(&service).with_streaming(true)).unwrap();
    assert_eq!(
        (reply.texts(), reply.is_cut()),
        (vec!["a cat".to_owned()], false)
    );
    let failing = json!({ "error": { "message": "no such model" } });
    let service = MockService::with_answers([Answer::json(&failing)]);
    let failure = ask(&chat(&service).with_streaming(true)).unwrap_err();
    assert!(failure.to_string().contains("no such model"), "{failure}");
}

#[test]
fn a_server_that_streams_unasked_is_understood() {
    let end = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let pieces = [piece("a "), piece("cat"), end.to_string()];
    let service = MockService::with_answers([Answer::events(&pieces)]);
    assert_eq!(ask(&chat(&service)).unwrap().texts(), ["a cat"]);
    let service = MockService::with_answers([Answer::events(&pieces[..2])]);
    let failure = ask(&chat(&service)).unwrap_err();
    assert!(failure.to_string().contains("ended early"), "{failure}");
}

#[test]
fn a_stream_that_breaks_is_an_error_and_one_that_outlasts_the_time_is_cut() {
    let service = MockService::with_answers([Answer::events([piece("a c")]).cut()]);
    let failure = ask(&chat(&service).with_streaming(true)).unwrap_err();
    assert!(failure.to_string().contains("ended early"), "{failure}");

    let service = MockService::with_answers([Answer::events([piece("a c")])]);
    let failure = ask(&chat(&service).with_streaming(true)).unwrap_err();
    assert!(failure.to_string().contains("ended early"), "{failure}");

    let service = MockService::with_answers([Answer::events([piece("a c")]).stalled()]);
    let chat = chat(&service).with_streaming(true);
    let reply = chat
        .ask(&question(), Deadline::after(Duration::from_secs(2)))
        .unwrap();
    assert_eq!(reply.texts(), ["a c"]);
    assert!(reply.is_cut());
}

#[test]
fn what_is_no_answer_is_an_error() {
    let failing = json!({ "error": { "message": "the model is overloaded; sk-key" } });
    let cases = [
        (
            Answer::json(&failing),
            "answered with an error: the model is overloaded; ***",
        ),
        (
            Answer::json(&json!({ "choices": [] })),
            "without any choice",
        ),
        (Answer::json(&json!([1])), "did not answer with the JSON"),
        (
            Answer::bytes("text/html", "<html>"),
            "did not answer with the JSON",
        ),
        (Answer::huge(2 << 20), "is larger than"),
        (Answer::json(&failing).with_status(401), "answered 401"),
    ];
    for (answer, expected) in cases {
        let service = MockService::with_answers([answer]);
        let failure = ask(&chat(&service)).unwrap_err().to_string();
        assert!(failure.contains(expected), "{failure:?} lacks {expected:?}");
    }
    let events = [
        (failing.to_string(), "overloaded"),
        ("{".to_owned(), "did not answer with the JSON"),
    ];
    for (event, expected) in events {
        let service = MockService::with_answers([Answer::events([event])]);
        let failure = ask(&chat(&service).with_streaming(true))
            .unwrap_err()
            .to_string();
        assert!(failure.contains(expected), "{failure:?} lacks {expected:?}");
    }
}

#[test]
fn parts_of_a_text_and_missing_texts_are_read() {
    let parts = json!({ "choices": [
        { "index": 1, "message": { "content": null } },
        { "index": 0, "message": { "content": [{ "type": "text", "text": "a " }, { "type": "text", "text": "cat" }] } },
    ] });
    let service = MockService::with_answers([Answer::json(&parts)]);
    assert_eq!(ask(&chat(&service)).unwrap().texts(), ["a cat", ""]);
}

#[test]
fn what_was_asked_before_is_not_paid_again() {
    let service = MockService::with_answers([Answer::json(&completion("a cat"))]);
    let budget = Arc::new(Budget::new());
    let chat = chat(&service)
        .with_budget(Arc::clone(&budget))
        .with_cache(Some(Arc::new(ResponseCache::new(1 << 20))));
    let answers = [ask(&chat).unwrap(), ask(&chat).unwrap()];
    assert_eq!(answers[0], answers[1]);
    assert_eq!(service.received().len(), 1);
    assert_eq!(
        budget.used(),
        Usage {
            input_tokens: 10,
            output_tokens: 2
        }
    );
    chat.ask(&json!({ "model": "other" }), Deadline::predict())
        .unwrap();
    assert_eq!(service.received().len(), 2);
}

#[test]
fn nothing_is_asked_once_the_budget_is_used_up() {
    let prices = Prices {
        input: 1e5,
        output: 1e6,
    };
    let budgets = [
        (
            Budget::new().with_max_tokens(Some(12)),
            "the budget of 12 tokens is used up",
        ),
        (
            Budget::new().with_max_cost(Some(3.0), prices),
            "the budget of 3 is spent",
        ),
    ];
    for (budget, expected) in budgets {
        let service = MockService::with_answers([Answer::json(&completion("a cat"))]);
        let chat = chat(&service).with_budget(Arc::new(budget));
        ask(&chat).unwrap();
        let failure = ask(&chat).unwrap_err().to_string();
        assert!(failure.contains(expected), "{failure}");
        assert_eq!(service.received().len(), 1);
    }
}

#[test]
fn tokens_are_estimated_when_the_service_does_not_count_them() {
    let mut uncounted = completion("a cat that sits on a mat");
    uncounted["usage"].take();
    let service = MockService::with_answers([Answer::json(&uncounted)]);
    let usage = ask(&chat(&service)).unwrap().usage;
    assert!(
        usage.input_tokens > 5 && usage.output_tokens == 6,
        "{usage:?}"
    );
}

#[test]
fn each_provider_has_its_address_and_headers() {
    let key = Secret::from("k");
    let deployment = AzureDeployment {
        resource_endpoint: "https://res.openai.azure.com/",
        name: "dep1",
        api_version: "2023-05-15",
    };
    let cases = [
        (
            ChatEndpoint::openai(&key),
            "https://api.openai.com/v1/chat/completions",
        ),
        (
            ChatEndpoint::ollama("http://ollama:11434/v1/"),
            "http://ollama:11434/v1/chat/completions",
        ),
        (
            ChatEndpoint::azure(&deployment, &key),
            "https://res.openai.azure.com/openai/deployments/dep1/chat/completions",
        ),
    ];
    for (endpoint, url) in cases {
        assert_eq!(endpoint.unwrap().shown_url(), url);
    }
    assert!(ChatEndpoint::compatible("localhost:8000", None).is_err());
}

#[test]
fn an_answer_is_kept_for_the_credentials_that_it_was_given_to() {
    let service = MockService::start(|request| match request.authorization() {
        Some("Bearer sk-good") => Answer::json(&completion("a cat")),
        _ => Answer::json(&json!({ "error": { "message": "unknown key" } })).with_status(401),
    });
    let cache = Arc::new(ResponseCache::new(1 << 20));
    let asked_with = |key: &str| {
        let endpoint = ChatEndpoint::compatible(&service.url("/v1"), Some(&Secret::from(key)));
        let client = ServiceClient::new(ServiceOptions::default()).unwrap();
        let chat = ChatClient::new(client, endpoint.unwrap()).with_cache(Some(Arc::clone(&cache)));
        ask(&chat)
    };
    for _ in 0..2 {
        assert_eq!(asked_with("sk-good").unwrap().texts(), ["a cat"]);
    }
    assert_eq!(
        service.received().len(),
        1,
        "the second answer is a kept one"
    );
    let refused = asked_with("sk-other").unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
}

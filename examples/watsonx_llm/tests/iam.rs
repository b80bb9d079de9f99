//! API keys are exchanged for tokens.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use label_studio_ml::json;
use label_studio_services::{Deadline, Secret, ServiceClient, ServiceOptions, map_parallel};
use label_studio_testing::{Answer, MockService};
use watsonx_llm::IamTokens;

fn tokens(service: &MockService) -> IamTokens {
    let options = ServiceOptions {
        retries: 0,
        ..ServiceOptions::default()
    };
    let client = ServiceClient::new(options).unwrap();
    IamTokens::new(client, &service.url("/oidc/token"), &Secret::from("key+/=")).unwrap()
}

fn numbered() -> MockService {
    let n = AtomicUsize::new(0);
    MockService::start(move |_| {
        let n = n.fetch_add(1, Ordering::Relaxed) + 1;
        Answer::json(&json!({ "access_token": format!("token-{n}"), "expires_in": 3600 }))
    })
}

#[test]
fn the_exchange_is_the_one_that_ibm_describes() {
    let service = numbered();
    tokens(&service).token(Deadline::predict()).unwrap();
    let request = &service.received()[0];
    assert_eq!(
        (request.method.as_str(), request.path()),
        ("POST", "/oidc/token")
    );
    assert_eq!(request.header("authorization"), Some("Basic Yng6Yng="));
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.form("apikey").as_deref(), Some("key+/="));
    assert_eq!(
        request.form("grant_type").as_deref(),
        Some("urn:ibm:params:oauth:grant-type:apikey")
    );
}

#[test]
fn a_token_is_used_again_until_it_is_refused() {
    let service = numbered();
    let tokens = tokens(&service);
    let token = || tokens.token(Deadline::predict()).unwrap();
    assert_eq!(
        [token(), token()].map(|token| token.expose().to_owned()),
        ["token-1", "token-1"]
    );
    tokens.forget(&token());
    assert_eq!(token().expose(), "token-2");
    tokens.forget(&Secret::from("token-1"));
    assert_eq!(token().expose(), "token-2", "another one was refused");
}

#[test]
fn all_wait_for_the_one_exchange_under_way() {
    let (arrived, has_arrived) = mpsc::channel();
    let (let_go, leave) = mpsc::channel::<()>();
    let gate = Mutex::new((arrived, leave));
    let service = MockService::start(move |_| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv().unwrap();
        Answer::json(&json!({ "access_token": "shared", "expires_in": 3600 }))
    });
    let tokens = Arc::new(tokens(&service));
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let tokens = Arc::clone(&tokens);
            thread::spawn(move || tokens.token(Deadline::predict()).unwrap())
        })
        .collect();
    has_arrived.recv().unwrap();
    let_go.send(()).unwrap();
    for caller in callers {
        assert_eq!(caller.join().unwrap().expose(), "shared");
    }
    assert_eq!(service.received().len(), 1);
}

#[test]
fn a_wrong_key_is_said_once_and_never_shown() {
    let service = MockService::start(|_| {
        let message = "Provided API key key+/= could not be found.";
        Answer::json(&json!({ "errorCode": "BXNIM0415E", "errorMessage": message }))
            .with_status(400)
    });
    let tokens = tokens(&service);
    let n_threads = NonZeroUsize::new(8).unwrap();
    let errors = map_parallel(&[(); 8], n_threads, |()| {
        tokens.token(Deadline::predict()).unwrap_err()
    });
    for error in errors {
        let error = format!("{:#}", label_studio_ml::anyhow::Error::from(error));
        assert!(
            error.contains("WATSONX_API_KEY") && error.contains("could not be found"),
            "{error}"
        );
        assert!(!error.contains("key+/="), "{error}");
    }
}

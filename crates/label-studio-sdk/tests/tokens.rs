//! What a token turns into before it is sent, and how often Label Studio is asked for that.
#![cfg(feature = "client")]

use std::{
    error::Error,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use label_studio_sdk::{Client, ClientError, ClientOptions, client::TokenKind};
use label_studio_testing::{
    Answer, MockService,
    label_studio::client_options,
    media::TestFetcher,
    tokens::{access_token, jwt, now, personal_access_token},
};
use serde_json::{Value, json};

const LEGACY: &str = "0123456789abcdef0123456789abcdef01234567";
const REFRESH: &str = "/api/token/refresh/";

#[test]
fn tokens_are_exchanged_as_recorded() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../vectors/core_tokens.json")).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        check(case["name"].as_str().unwrap(), case);
    }
}

fn check(name: &str, case: &Value) {
    let server = MockService::start({
        let name = name.to_owned();
        move |_| match name.as_str() {
            "refresh_401" => Answer::status(401),
            "access_expired_immediately" => exchanged(&jwt(&json!({ "exp": now() - 10 }))),
            _ => exchanged(&access_token("a")),
        }
    });
    let token = match name {
        "legacy" => LEGACY.to_owned(),
        "expired_pat" => jwt(&json!({ "token_type": "refresh", "exp": now() - 10 })),
        _ => personal_access_token(),
    };
    let recorded = case["base_url"].as_str().unwrap();
    let base_url = recorded.replace("http://ls.example:8080", &server.url(""));
    let client = Client::new(client_options(&base_url).with_token(&token));
    assert_eq!(client.is_ok(), case["constructed"] == true, "{name}");
    let Ok(client) = client else { return };

    let expected: Vec<_> = case["refresh_requests"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    for _ in 0..expected.len().max(1) {
        let header = client.authorization();
        match case["header_scheme"].as_str() {
            Some(scheme) => assert!(header.unwrap().starts_with(&format!("{scheme} ")), "{name}"),
            None => assert_eq!(header.unwrap_err().status(), Some(401), "{name}"),
        }
    }
    let asked = server.received();
    assert_eq!(asked.len(), expected.len(), "{name}");
    for (asked, expected) in asked.iter().zip(expected) {
        let url = expected["url"].as_str().unwrap();
        assert_eq!(
            asked.target,
            url.replace("http://ls.example:8080", ""),
            "{name}"
        );
        assert_eq!(asked.method, expected["method"], "{name}");
        let body: Value = asked.json();
        assert_eq!(body, json!({ "refresh": token }), "{name}");
    }
}

#[test]
fn a_path_without_a_slash_is_kept_when_a_token_is_exchanged() {
    // The original drops the last part of the path here.
    let server = MockService::start(|_| exchanged(&access_token("a")));
    let url = format!("{}/ls", server.url(""));
    let client = Client::new(client_options(&url).with_token(personal_access_token())).unwrap();
    client.authorization().unwrap();
    assert_eq!(server.targets(), ["/ls/api/token/refresh/"]);
}

#[test]
fn an_access_token_is_used_until_shortly_before_it_expires() {
    for (lifetime, n_exchanges) in [(300, 1), (20, 3)] {
        let server = MockService::start(move |_| {
            exchanged(&jwt(&json!({ "iat": now(), "exp": now() + lifetime })))
        });
        let client = server.client(&personal_access_token());
        for _ in 0..3 {
            client.authorization().unwrap();
        }
        assert_eq!(
            server.received().len(),
            n_exchanges,
            "lifetime {lifetime} s"
        );
    }
}

#[test]
fn a_wrong_clock_does_not_make_access_tokens_useless() {
    let server = MockService::start(|_| {
        exchanged(&jwt(&json!({ "iat": now() - 7200, "exp": now() - 6900 })))
    });
    let client = server.client(&personal_access_token());
    client.authorization().unwrap();
    client.authorization().unwrap();
    assert_eq!(server.received().len(), 1);
}

#[test]
fn eight_threads_share_one_exchange() {
    let server = MockService::start(|_| exchanged(&access_token("a")));
    let client = server.client(&personal_access_token());
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                client.clone().authorization().unwrap();
            });
        }
    });
    assert_eq!(server.targets(), [REFRESH]);
}

#[test]
fn a_refused_access_token_is_replaced_once() {
    let n_exchanges = AtomicUsize::new(0);
    let server = MockService::start(move |asked| match asked.path() {
        REFRESH => {
            let n = n_exchanges.fetch_add(1, Ordering::SeqCst);
            exchanged(&format!("access-{n}"))
        }
        _ if asked.authorization() == Some("Bearer access-1") => {
            Answer::json(&json!({ "id": 7, "email": "a@b.example" }))
        }
        _ => Answer::status(401),
    });
    let client = server.client(&personal_access_token());
    assert_eq!(client.whoami().unwrap().id, 7);
    let whoami = "/api/current-user/whoami";
    assert_eq!(server.targets(), [REFRESH, whoami, REFRESH, whoami]);
}

#[test]
fn an_access_token_refused_twice_is_an_error() {
    let server = MockService::start(|asked| match asked.path() {
        REFRESH => exchanged(&access_token("a")),
        _ => Answer::status(401),
    });
    let client = server.client(&personal_access_token());
    assert_eq!(client.whoami().unwrap_err().status(), Some(401));
    assert_eq!(server.received().len(), 4);
}

#[test]
fn a_token_is_recognised() {
    let exp = now() + 60;
    for (token, expect) in [
        (LEGACY.to_owned(), TokenKind::Legacy),
        (format!("  {LEGACY}\n"), TokenKind::Legacy),
        ("a.b.c".to_owned(), TokenKind::Legacy),
        (jwt(&json!({ "exp": exp })), TokenKind::PersonalAccess),
        (
            jwt(&json!({ "exp": exp, "token_type": "refresh" })),
            TokenKind::PersonalAccess,
        ),
        (
            jwt(&json!({ "exp": exp, "token_type": "access" })),
            TokenKind::Access,
        ),
    ] {
        let client = Client::new(client_options("http://ls.example").with_token(&token)).unwrap();
        assert_eq!(client.token_kind(), Some(expect), "{token}");
    }
    let client = Client::new(client_options("http://ls.example").with_token(" ")).unwrap();
    assert_eq!(client.token_kind(), None, "a blank token is none");
    assert!(matches!(
        client.authorization(),
        Err(ClientError::MissingToken { .. })
    ));
}

#[test]
fn a_token_that_cannot_work_is_an_error_at_once() {
    let make = |token: &str| Client::new(client_options("http://ls.example").with_token(token));
    let without_expiry = make(&jwt(&json!({ "token_type": "refresh" })));
    assert!(matches!(without_expiry, Err(ClientError::ExpiredToken)));
    assert!(matches!(
        make("two words"),
        Err(ClientError::MalformedToken)
    ));
    assert!(matches!(make("tök"), Err(ClientError::MalformedToken)));
}

#[test]
fn no_token_is_ever_shown() {
    let token = personal_access_token();
    let server = MockService::start(|_| Answer::status(401));
    let options = client_options(&server.url("")).with_token(&token);
    let client = Client::new(options.clone()).unwrap();
    let error = client.whoami().unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(
        cause.contains("create a new one and set LABEL_STUDIO_API_KEY"),
        "{cause}"
    );
    for shown in [
        format!("{options:?}"),
        format!("{client:?}"),
        format!("{error} {error:?} {cause}"),
    ] {
        assert!(!shown.contains(&token), "{shown}");
    }
}

fn exchanged(access: &str) -> Answer {
    Answer::json(&json!({ "access": access }))
}

#[test]
fn words_before_a_token_are_taken_off() {
    let server = MockService::start(|_| Answer::ok(r#"{"id": 1}"#));
    for (token, expected) in [
        (format!("Token {LEGACY}"), format!("Token {LEGACY}")),
        (format!("token  {LEGACY} "), format!("Token {LEGACY}")),
        (
            format!("Authorization: Token {LEGACY}"),
            format!("Token {LEGACY}"),
        ),
        (format!("\"{LEGACY}\""), format!("Token {LEGACY}")),
        (format!("'Token {LEGACY}'"), format!("Token {LEGACY}")),
        (format!("Token \"{LEGACY}\""), format!("Token {LEGACY}")),
        (
            format!("Bearer {}", access_token("a")),
            format!("Bearer {}", access_token("a")),
        ),
    ] {
        let client = server.client(&token);
        assert_eq!(client.authorization().unwrap(), expected, "{token}");
    }
    let pat = server.client(&format!("Bearer {}", personal_access_token()));
    assert_eq!(pat.token_kind(), Some(TokenKind::PersonalAccess));
    for token in ["Token", "Bearer ", "Basic abc def", "Token abc def"] {
        let client = Client::new(client_options(&server.url("")).with_token(token));
        let is_word = token.trim_end() == "Token" || token.trim_end() == "Bearer";
        assert_eq!(client.is_ok(), is_word, "{token}: {client:?}");
    }
}

#[test]
fn a_token_that_cannot_be_used_is_the_reason_of_each_failure() {
    let server = MockService::start(|_| Answer::ok("{}"));
    let expired = jwt(&json!({ "token_type": "refresh", "exp": now() - 10 }));
    for (token, reason) in [
        (expired.as_str(), "the personal access token has expired"),
        ("a\u{1f600}b", "characters that no token has"),
    ] {
        let client = Client::new(ClientOptions {
            defer_token_problems: true,
            ..client_options(&server.url("")).with_token(token)
        })
        .unwrap();
        assert!(client.has_token());
        assert_eq!(client.token_kind(), None);
        let problem = client.token_problem().unwrap().to_string();
        assert!(problem.contains(reason), "{problem}");
        let error = client.whoami().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        let fetcher = TestFetcher::new(Some(client), |options| options);
        for value in ["/data/upload/1/a.png", "s3://bucket/a.png"] {
            let error = fetcher.get(value).unwrap_err().to_string();
            assert!(error.contains(reason), "{value}: {error}");
        }
    }
    assert!(server.received().is_empty());
}

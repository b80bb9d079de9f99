//! What is asked of Label Studio, and what is made of its answers.
#![cfg(feature = "client")]

use std::{
    collections::BTreeMap,
    error::Error,
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use label_studio_sdk::{Client, ClientError, ClientOptions, Prediction};
use label_studio_testing::{Answer, MockService, Received, label_studio::client_options};
use serde_json::{Value, json};

const TOKEN: &str = "legacy123";

#[test]
fn labeled_tasks_are_asked_for_page_by_page() {
    let server = MockService::start(|asked| match asked.query("page").as_deref() {
        Some("1") => page(1..101),
        Some("2") => page(101..131),
        _ => Answer::status(404),
    });
    let tasks = server.client(TOKEN).labeled_tasks(3).unwrap();
    assert_eq!(tasks.len(), 130);
    assert_eq!(tasks[129].id, Some(130));
    assert_eq!(tasks[129].annotations().unwrap().len(), 1);

    let asked = server.received();
    assert_eq!(asked.len(), 2, "the second page is short");
    let first = &asked[0];
    assert_eq!(first.path(), "/api/tasks");
    assert_eq!(first.authorization(), Some("Token legacy123"));
    let expected = [
        ("project", "3"),
        ("page", "1"),
        ("page_size", "100"),
        ("fields", "all"),
        ("resolve_uri", "True"),
    ];
    for (name, value) in expected {
        assert_eq!(first.query(name).as_deref(), Some(value), "{name}");
    }
    let query: Value = serde_json::from_str(&first.query("query").unwrap()).unwrap();
    let filter = json!({"filter": "filter:tasks:completed_at", "operator": "empty", "value": false, "type": "Datetime"});
    assert_eq!(
        query,
        json!({
            "filters": {"conjunction": "and", "items": [filter]},
            "ordering": [],
            "selectedItems": {"all": true, "excluded": []},
        })
    );
}

#[test]
fn paging_ends_where_the_tasks_end() {
    type Pages = fn(&str) -> Answer;
    let cases: [(&str, Pages, usize, usize); 6] = [
        (
            "a missing page",
            |page_no| {
                if page_no == "1" {
                    page(1..101)
                } else {
                    Answer::status(404)
                }
            },
            100,
            2,
        ),
        (
            "an empty page",
            |page_no| {
                if page_no == "1" {
                    page(1..101)
                } else {
                    page(0..0)
                }
            },
            100,
            2,
        ),
        ("no tasks at all", |_| page(0..0), 0, 1),
        (
            "the total, on a server with smaller pages",
            |page_no| {
                let page_no: u64 = page_no.parse().unwrap();
                counted_page(page_no * 50 - 49..page_no * 50 + 1, 100)
            },
            100,
            2,
        ),
        ("the same page again", |_| page(1..101), 100, 2),
        (
            "a list without a frame",
            |_| Answer::ok(r#"[{"id": 1, "data": {}}]"#),
            1,
            1,
        ),
    ];
    for (name, pages, n_tasks, n_asked) in cases {
        let server = MockService::start(move |asked| pages(&asked.query("page").unwrap()));
        let tasks = server.client(TOKEN).tasks(1).unwrap();
        assert_eq!(
            (tasks.len(), server.received().len()),
            (n_tasks, n_asked),
            "{name}"
        );
    }
}

#[test]
fn an_error_on_a_later_page_is_not_the_end_of_the_tasks() {
    // The original returns what it has, so that training silently runs on a part.
    let server = MockService::start(|asked| match asked.query("page").as_deref() {
        Some("1") => page(1..101),
        _ => Answer::status(500),
    });
    let error = server.client(TOKEN).labeled_tasks(1).unwrap_err();
    assert_eq!(error.status(), Some(500));
}

#[test]
fn a_missing_project_is_an_error() {
    let server = MockService::start(|_| Answer::status(404));
    let error = server.client(TOKEN).labeled_tasks(1).unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[test]
fn answers_are_read_tolerantly() {
    let server = MockService::start(|asked| Answer::json(&answer_to(asked)));
    let client = server.client(TOKEN);
    assert_eq!(client.version().unwrap().release, "1.23.2");
    assert_eq!(client.whoami().unwrap().email, "a@b.example");
    assert_eq!(client.project(1).unwrap().title, "");
    let projects = client.projects().unwrap();
    assert_eq!(
        projects
            .iter()
            .map(|project| project.id)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(client.task(5).unwrap().id, Some(5));
    assert_eq!(
        client.predictions(5).unwrap()[0].model_version.as_deref(),
        Some("a")
    );
    assert_eq!(client.ml_backends(1).unwrap()[0].model_version, None);
    let webhook = &client.webhooks(1).unwrap()[0];
    assert_eq!(webhook.headers["Authorization"], "Basic secret");
    assert!(!format!("{webhook:?}").contains("secret"));
    assert_eq!(
        server.received()[0].authorization(),
        None,
        "the version needs no token"
    );
}

fn answer_to(asked: &Received) -> Value {
    match asked.target.as_str() {
        "/api/version" => json!({"release": "1.23.2", "label-studio-os-package": {}}),
        "/api/current-user/whoami" => json!({"id": 1, "email": "a@b.example"}),
        "/api/projects/1" => json!({"id": 1, "title": null, "label_config": "<View/>"}),
        "/api/projects?page=1&page_size=100" => {
            json!({"results": [{"id": 1}], "next": "http://internal/?page=2"})
        }
        "/api/projects?page=2&page_size=100" => json!({"results": [{"id": 2}], "next": null}),
        "/api/tasks/5" => json!({"id": 5, "data": {"text": "a"}}),
        "/api/predictions/?task=5" => {
            json!([{"id": 1, "result": [], "score": null, "model_version": "a"}])
        }
        "/api/ml?project=1" => {
            json!([{"id": 1, "url": "http://b", "state": "CO", "model_version": null}])
        }
        "/api/webhooks/?project=1" => {
            json!([{"id": 1, "url": "http://b/webhook", "headers": {"Authorization": "Basic secret"}, "is_active": true}])
        }
        other => panic!("{other}"),
    }
}

#[test]
fn predictions_and_headers_are_sent_as_label_studio_reads_them() {
    let server = MockService::start(|asked| match asked.path() {
        "/api/projects/1/import/predictions" => Answer::json(&json!({"created": 2})),
        _ => Answer::json(&json!({"id": 1})),
    });
    let client = server.client(TOKEN);
    let none: [label_studio_sdk::Region; 0] = [];
    let prediction = Prediction::new(none)
        .with_score(0.5)
        .with_model_version("a");
    client.create_prediction(7, &prediction).unwrap();
    let both = [(7, &prediction), (8, &prediction)];
    assert_eq!(client.create_predictions(1, both).unwrap(), 2);
    let headers = BTreeMap::from([("Authorization".to_owned(), "Basic eA==".to_owned())]);
    client.update_webhook_headers(4, &headers).unwrap();

    let sent: Vec<_> = server
        .received()
        .iter()
        .map(|asked| {
            let body: Value = asked.json();
            (format!("{} {}", asked.method, asked.target), body)
        })
        .collect();
    let stored =
        |task: i64| json!({"task": task, "result": [], "score": 0.5, "model_version": "a"});
    let expected = [
        ("POST /api/predictions/", stored(7)),
        (
            "POST /api/projects/1/import/predictions",
            json!([stored(7), stored(8)]),
        ),
        (
            "PATCH /api/webhooks/4",
            json!({"headers": {"Authorization": "Basic eA=="}}),
        ),
    ];
    assert_eq!(sent, expected.map(|(line, body)| (line.to_owned(), body)));
}

#[test]
fn changes_of_webhooks_and_ml_backends_carry_what_label_studio_needs() {
    let server = MockService::start(|asked| match asked.route().as_str() {
        "GET /api/ml" => Answer::json(&json!([{ "id": 3, "url": "http://b:9090" }])),
        _ => Answer::json(&json!({ "id": 1 })),
    });
    let client = server.client(TOKEN);
    let backend = &client.ml_backends(7).unwrap()[0];
    assert!(!backend.is_interactive);
    let changes = json!({ "is_interactive": true });
    let changes = changes.as_object().unwrap();
    client.update_ml_backend(7, backend, changes).unwrap();
    client.create_webhook(7, "http://b:9090/webhook").unwrap();
    let switches = json!({ "send_payload": true });
    client.update_webhook(5, &switches).unwrap();
    let sent: Vec<_> = server.received()[1..]
        .iter()
        .map(|asked| (asked.route(), asked.json()))
        .collect();
    let webhook = json!({
        "project": 7, "url": "http://b:9090/webhook",
        "is_active": true, "send_payload": true, "send_for_all_actions": true,
    });
    let expected = [
        (
            "PATCH /api/ml/3",
            json!({ "url": "http://b:9090", "project": 7, "is_interactive": true }),
        ),
        ("POST /api/webhooks/", webhook),
        ("PATCH /api/webhooks/5", switches),
    ];
    assert_eq!(sent, expected.map(|(line, body)| (line.to_owned(), body)));
}

#[test]
fn switches_of_a_webhook_that_are_missing_are_on() {
    let server = MockService::start(|_| {
        Answer::json(&json!([
            { "id": 1, "url": "http://b/webhook" },
            { "id": 2, "url": "http://b/webhook", "send_payload": false, "send_for_all_actions": false,
              "actions": ["ANNOTATION_CREATED"] },
        ]))
    });
    let webhooks = server.client(TOKEN).webhooks(1).unwrap();
    let switches = webhooks.iter().map(|webhook| {
        (
            webhook.send_payload,
            webhook.send_for_all_actions,
            webhook.actions.len(),
        )
    });
    assert_eq!(
        switches.collect::<Vec<_>>(),
        [(true, true, 0), (false, false, 1)]
    );
}

#[test]
fn errors_say_what_to_do() {
    for (status, expect) in [
        (401, "LABEL_STUDIO_API_KEY"),
        (403, "member of the project"),
        (404, "LABEL_STUDIO_URL"),
        (502, "log of Label Studio"),
    ] {
        let server = MockService::start(move |_| {
            Answer::json(&json!({ "detail": "no" })).with_status(status)
        });
        let message = server.client(TOKEN).whoami().unwrap_err().to_string();
        let url = format!(
            "{}/api/current-user/whoami answered {status}",
            server.url("")
        );
        assert!(message.starts_with(&url), "{message}");
        assert!(
            message.contains(expect) && message.contains("; no; "),
            "{message}"
        );
    }
}

#[test]
fn a_page_for_people_is_not_taken_for_an_answer() {
    let server = MockService::start(|_| Answer::ok("<!doctype html><html></html>"));
    let message = server.client(TOKEN).version().unwrap_err().to_string();
    assert!(
        message.contains("did not answer like Label Studio's API"),
        "{message}"
    );
    let server = MockService::start(|_| Answer::new(502, "<html><body>long</body></html>"));
    let message = server.client(TOKEN).version().unwrap_err().to_string();
    assert!(message.contains("an HTML page"), "{message}");
}

#[test]
fn an_address_that_is_not_one_is_an_error() {
    for url in [
        "ls.example:8080",
        "",
        "ftp://ls.example",
        "http://user@ls.example",
    ] {
        let error = Client::new(ClientOptions::new(url)).unwrap_err();
        assert!(matches!(error, ClientError::InvalidUrl { .. }), "{url}");
    }
}

#[test]
fn a_get_is_repeated_when_the_connection_fails_and_a_post_is_not() {
    let n_asked = AtomicUsize::new(0);
    let server = MockService::start(move |_| match n_asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        2 => Answer::json(&json!({"id": 1})),
        _ => Answer::raw(Vec::new()),
    });
    let client = server.client(TOKEN);
    assert_eq!(client.whoami().unwrap().id, 1);
    assert_eq!(server.received().len(), 3);
    let none: [label_studio_sdk::Region; 0] = [];
    let error = client
        .create_prediction(1, &Prediction::new(none))
        .unwrap_err();
    assert!(matches!(error, ClientError::Connection { .. }));
    assert_eq!(server.received().len(), 4);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let client = Client::new(client_options(&format!("http://127.0.0.1:{port}"))).unwrap();
    let error = client.version().unwrap_err();
    let expected = format!("cannot reach http://127.0.0.1:{port}/api/version");
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(error.source().unwrap().to_string().contains("refused"));
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let server = MockService::start(|_| Answer::hang());
    let options = ClientOptions {
        read_timeout: Duration::from_millis(50),
        ..client_options(&server.url(""))
    };
    let error = Client::new(options).unwrap().version().unwrap_err();
    assert!(
        error.source().unwrap().to_string().contains("timeout"),
        "{error}"
    );
    assert_eq!(
        server.received().len(),
        1,
        "a slow server is not asked again"
    );
}

#[test]
fn only_redirects_within_label_studio_are_followed() {
    let other = MockService::start(|_| Answer::json(&json!({"id": 1})));
    let other_url = other.url("");
    let server = MockService::start(move |asked| match asked.path() {
        "/api/current-user/whoami" => Answer::redirect("/api/current-user/whoami/"),
        "/api/current-user/whoami/" => Answer::json(&json!({"id": 1})),
        _ => Answer::redirect(&other_url),
    });
    let client = server.client(TOKEN);
    assert_eq!(client.whoami().unwrap().id, 1);
    assert_eq!(
        server.received()[1].authorization(),
        Some("Token legacy123")
    );
    let error = client.project(1).unwrap_err();
    assert!(
        error.to_string().contains("set LABEL_STUDIO_URL"),
        "{error}"
    );
    assert!(other.received().is_empty());
}

#[test]
fn requests_name_their_sender() {
    let server = MockService::start(|_| Answer::json(&json!({"release": "1"})));
    server.client(TOKEN).version().unwrap();
    assert!(
        server.received()[0]
            .header("user-agent")
            .unwrap()
            .starts_with("label-studio-ml/")
    );
}

fn page(ids: std::ops::Range<u64>) -> Answer {
    Answer::json(&json!({ "tasks": tasks(ids) }))
}

fn counted_page(ids: std::ops::Range<u64>, total: u64) -> Answer {
    Answer::json(&json!({ "tasks": tasks(ids), "total": total }))
}

fn tasks(ids: std::ops::Range<u64>) -> Vec<Value> {
    ids.map(|id| json!({"id": id, "data": {"text": "a"}, "annotations": [{"id": 1, "result": []}]}))
        .collect()
}

#[test]
fn users_are_listed_bare_or_in_pages() {
    let server = MockService::start(|asked| {
        let users = json!([{ "id": 1, "email": "a@x.io" }, { "id": 2, "username": "b" }]);
        match asked.authorization() {
            Some("Token pages") => Answer::json(&json!({ "count": 2, "results": users })),
            _ => Answer::json(&users),
        }
    });
    for token in [TOKEN, "pages"] {
        let users = server.client(token).users().unwrap();
        let emails: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
        assert_eq!(emails, ["a@x.io", ""]);
    }
    assert_eq!(server.targets(), ["/api/users/", "/api/users/"]);
}

#[test]
fn a_tasks_data_is_replaced() {
    let server = MockService::start(|_| Answer::json(&json!({ "id": 5, "data": {} })));
    let data = json!({ "text": "Hello", "kept": [1] });
    let client = server.client(TOKEN);
    client.set_task_data(5, data.as_object().unwrap()).unwrap();
    let asked = &server.received()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path()),
        ("PATCH", "/api/tasks/5/")
    );
    let body: Value = asked.json();
    assert_eq!(body, json!({ "data": data }));
}

//! Webhooks become rows in a mock of Presto.

mod mock;

use std::sync::{Arc, Mutex};

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    Resources, ServerArgs, Value, json,
    sdk::{Client, ClientOptions},
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_testing::{Answer, MockService, Received};
use mock::{generated, options, watsonx};
use watsonx_llm::WatsonXModel;

/// A backend, a Label Studio with two users, and an engine that answers statements as `respond` says.
struct Stage {
    client: TestClient,
    presto: MockService,
    label_studio: MockService,
}

fn stage_with(flags: &[&str], respond: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Stage {
    let presto = MockService::start(move |request| respond(&request.text()));
    let label_studio = MockService::start(|request| match request.path() {
        "/api/users/" => {
            Answer::json(&json!([{ "id": 1, "email": "a@x.io" }, { "id": 2, "email": "b@x.io" }]))
        }
        _ => Answer::status(404),
    });
    let url = presto.url("");
    let (host, port) = url.rsplit_once(':').unwrap();
    let mut args = vec![
        "--watsonx-eng-username",
        "ibmlhapikey",
        "--watsonx-eng-host",
        host,
        "--watsonx-eng-port",
        port,
        "--watsonx-catalog",
        "iceberg_data",
        "--watsonx-schema",
        "labels",
        "--watsonx-table",
        "tbl",
    ];
    args.extend(flags);
    let model = WatsonXModel::new(
        options(&watsonx(|_| generated("x")), &args),
        NetworkOptions::default(),
    )
    .unwrap();
    let label_studio_options =
        ClientOptions::new(label_studio.url("")).with_token("0123456789abcdef");
    let resources = Resources {
        client: Some(Client::new(label_studio_options).unwrap()),
        ..Resources::new(MemoryStore::default())
    };
    let client = TestClient::with_resources(model, &ServerArgs::default(), resources);
    Stage {
        client,
        presto,
        label_studio,
    }
}

fn stage() -> Stage {
    stage_with(&[], |_| done())
}

fn done() -> Answer {
    Answer::json(&json!({ "id": "q", "stats": { "state": "FINISHED" } }))
}

fn refused(message: &str) -> Answer {
    Answer::json(
        &json!({ "id": "q", "error": { "message": message, "errorName": "SYNTAX_ERROR" } }),
    )
}

fn event(action: &str, annotation: i64, by: i64, at: &str, text: &str) -> Value {
    json!({
        "action": action,
        "project": { "id": 3 },
        "task": { "id": 7, "data": { "text": text } },
        "annotation": {
            "id": annotation,
            "completed_by": by,
            "updated_by": 2,
            "updated_at": at,
            "result": [{ "from_name": "rating", "type": "rating", "value": { "rating": 4 } }],
        },
    })
}

impl Stage {
    fn send(&self, event: &Value) -> Value {
        let (status, answer) = self.client.post("/data/upload", event);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn statements(&self) -> Vec<String> {
        let statements = self.presto.received();
        let posted = statements.iter().filter(|request| request.method == "POST");
        posted.map(Received::text).collect()
    }
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS tbl (ID bigint, completed_by varchar, rating bigint, text varchar, updated_by varchar)";

#[test]
fn a_new_annotation_becomes_a_row() {
    let stage = stage();
    let answer = stage.send(&event(
        "ANNOTATION_CREATED",
        1,
        1,
        "2025-01-01T00:00:00Z",
        "it's",
    ));
    assert_eq!(answer, json!({ "status": "ok", "task": 7 }));
    let insert = "INSERT INTO tbl VALUES (7, 'a@x.io', 4, 'it''s', 'b@x.io')";
    assert_eq!(
        stage.statements(),
        [CREATE, "SHOW COLUMNS FROM tbl", insert]
    );
    let request = &stage.presto.received()[0];
    assert_eq!(
        (request.method.as_str(), request.path()),
        ("POST", "/v1/statement")
    );
    for (name, value) in [
        ("x-presto-user", "ibmlhapikey"),
        ("x-presto-catalog", "iceberg_data"),
        ("x-presto-schema", "labels"),
        ("x-presto-source", "label-studio-ml"),
        // ibmlhapikey:secret-api-key
        (
            "authorization",
            "Basic aWJtbGhhcGlrZXk6c2VjcmV0LWFwaS1rZXk=",
        ),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    stage.send(&event(
        "ANNOTATION_CREATED",
        2,
        1,
        "2025-01-01T00:00:01Z",
        "x",
    ));
    assert_eq!(stage.statements().len(), 5, "the columns are known");
    assert_eq!(
        stage.label_studio.received().len(),
        1,
        "the users are known"
    );
}

#[test]
fn a_changed_annotation_keeps_its_row() {
    let stage = stage();
    stage.send(&event(
        "ANNOTATION_UPDATED",
        1,
        1,
        "2025-01-01T00:00:00Z",
        "new",
    ));
    let statements = stage.statements();
    let tail = [
        "START TRANSACTION",
        "DELETE from tbl WHERE ID=7",
        "INSERT INTO tbl VALUES (7, 'a@x.io', 4, 'new', 'b@x.io')",
    ];
    assert_eq!(statements[2..], tail);
    stage.send(&event(
        "ANNOTATION_UPDATED",
        1,
        1,
        "2025-01-01T00:00:01Z",
        "newer",
    ));
    assert_eq!(
        stage.statements()[6..].len(),
        2,
        "the engine has no transactions"
    );
}

#[test]
fn a_change_is_one_transaction_where_there_are_transactions() {
    let stage = stage_with(&[], |sql| match sql {
        "START TRANSACTION" => done().with_header("x-presto-started-transaction-id", "tx-1"),
        _ => done(),
    });
    stage.send(&event(
        "ANNOTATION_UPDATED",
        1,
        1,
        "2025-01-01T00:00:00Z",
        "new",
    ));
    let statements = stage.statements();
    assert_eq!(statements[2], "START TRANSACTION");
    assert_eq!(statements[5], "COMMIT");
    let ids: Vec<_> = stage.presto.received()[2..]
        .iter()
        .map(|request| {
            request
                .header("x-presto-transaction-id")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(ids, ["NONE", "tx-1", "tx-1", "tx-1"]);
}

#[test]
fn a_change_that_fails_in_a_transaction_is_rolled_back() {
    let stage = stage_with(&[], |sql| match sql {
        "START TRANSACTION" => done().with_header("x-presto-started-transaction-id", "tx-1"),
        sql if sql.starts_with("INSERT") => refused("no space left"),
        _ => done(),
    });
    let (status, answer) = stage.client.post(
        "/data/upload",
        &event("ANNOTATION_UPDATED", 1, 1, "", "new"),
    );
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("no space left"),
        "{answer}"
    );
    assert_eq!(stage.statements().last().unwrap(), "ROLLBACK");
}

#[test]
fn catalogs_that_only_commit_by_themselves_are_written_step_by_step() {
    let in_transaction = Arc::new(Mutex::new(false));
    let stage = stage_with(&[], move |sql| {
        let mut in_transaction = in_transaction.lock().unwrap();
        match sql {
            "START TRANSACTION" => {
                *in_transaction = true;
                done().with_header("x-presto-started-transaction-id", "tx-1")
            }
            "ROLLBACK" => {
                *in_transaction = false;
                done()
            }
            sql if sql.starts_with("DELETE") && *in_transaction => {
                refused("Catalog only supports writes using autocommit: iceberg_data")
            }
            _ => done(),
        }
    });
    stage.send(&event("ANNOTATION_UPDATED", 1, 1, "", "new"));
    let statements = stage.statements();
    assert!(statements[statements.len() - 2].starts_with("DELETE"));
    assert!(statements[statements.len() - 1].starts_with("INSERT"));
}

#[test]
fn a_row_that_cannot_be_written_again_is_reported() {
    let stage = stage_with(&[], |sql| {
        if sql.starts_with("INSERT") {
            refused("mismatched column types")
        } else {
            done()
        }
    });
    let (status, answer) = stage.client.post(
        "/data/upload",
        &event("ANNOTATION_UPDATED", 1, 1, "", "new"),
    );
    assert_eq!(status, 500);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("row of task 7 is deleted") && detail.contains("mismatched"),
        "{detail}"
    );
    assert_eq!(
        stage
            .statements()
            .iter()
            .filter(|sql| sql.starts_with("INSERT"))
            .count(),
        2
    );
}

#[test]
fn rows_of_other_annotators_stay() {
    let stage = stage();
    stage.send(&event(
        "ANNOTATION_CREATED",
        1,
        1,
        "2025-01-01T00:00:00Z",
        "x",
    ));
    stage.send(&event(
        "ANNOTATION_CREATED",
        2,
        2,
        "2025-01-01T00:00:00Z",
        "x",
    ));
    stage.send(&event(
        "ANNOTATION_UPDATED",
        2,
        2,
        "2025-01-01T00:00:01Z",
        "y",
    ));
    let delete = "DELETE from tbl WHERE ID=7 AND completed_by='b@x.io'";
    assert!(
        stage.statements().contains(&delete.to_owned()),
        "{:?}",
        stage.statements()
    );
}

#[test]
fn late_and_repeated_events_change_nothing() {
    let stage = stage();
    stage.send(&event(
        "ANNOTATION_UPDATED",
        1,
        1,
        "2025-01-01T00:00:09Z",
        "new",
    ));
    let n = stage.statements().len();
    let answer = stage.send(&event(
        "ANNOTATION_CREATED",
        1,
        1,
        "2025-01-01T00:00:00Z",
        "old",
    ));
    assert_eq!(answer["status"], "outdated");
    assert_eq!(stage.statements().len(), n);
    stage.send(&event(
        "ANNOTATION_CREATED",
        1,
        1,
        "2025-01-01T00:00:09Z",
        "new",
    ));
    assert_eq!(
        stage.statements()[n + 1],
        "DELETE from tbl WHERE ID=7",
        "the row is there already"
    );
}

#[test]
fn deleted_annotations_lose_their_rows() {
    let stage = stage();
    stage.send(&event("ANNOTATION_CREATED", 11, 1, "", "x"));
    let deleted = |id: i64| json!({ "action": "ANNOTATIONS_DELETED", "project": { "id": 3 }, "annotations": [{ "id": id }] });
    assert_eq!(stage.send(&deleted(99))["deleted"], 0);
    assert_eq!(stage.send(&deleted(11))["deleted"], 1);
    assert_eq!(
        stage.statements().last().unwrap(),
        "DELETE from tbl WHERE ID=7"
    );
    assert_eq!(stage.send(&deleted(11))["deleted"], 0);
    let with_task =
        json!({ "action": "ANNOTATIONS_DELETED", "project": { "id": 3 }, "task": { "id": 8 } });
    stage.send(&with_task);
    assert_eq!(
        stage.statements().last().unwrap(),
        "DELETE from tbl WHERE ID=8"
    );
}

#[test]
fn values_land_in_their_columns_whatever_the_table_looks_like() {
    let stage = stage_with(&[], |sql| match sql {
        "SHOW COLUMNS FROM tbl" => Answer::json(&json!({ "data": [
            ["id", "bigint", "", ""], ["text", "varchar", "", ""], ["rating", "varchar(10)", "", ""], ["completed_by", "varchar", "", ""],
        ] })),
        _ => done(),
    });
    stage.send(&event("ANNOTATION_CREATED", 1, 1, "", "x"));
    let statements = stage.statements();
    assert_eq!(
        statements[2],
        "ALTER TABLE tbl ADD COLUMN updated_by varchar"
    );
    assert_eq!(
        statements[3],
        "INSERT INTO tbl (ID, completed_by, rating, text, updated_by) VALUES (7, 'a@x.io', '4', 'x', 'b@x.io')"
    );
}

#[test]
fn a_table_that_was_changed_under_way_is_looked_at_again() {
    let is_changed = Arc::new(Mutex::new(false));
    let changed = Arc::clone(&is_changed);
    let stage = stage_with(&[], move |sql| {
        let is_changed = *changed.lock().unwrap();
        match sql {
            "SHOW COLUMNS FROM tbl" if is_changed => Answer::json(&json!({ "data": [
                ["id", "bigint"], ["completed_by", "varchar"], ["note", "varchar"], ["rating", "bigint"],
                ["text", "varchar"], ["updated_by", "varchar"],
            ] })),
            sql if is_changed && sql.starts_with("INSERT INTO tbl VALUES") => refused("mismatch"),
            _ => done(),
        }
    });
    stage.send(&event("ANNOTATION_CREATED", 1, 1, "", "x"));
    *is_changed.lock().unwrap() = true;
    let insert = "INSERT INTO tbl (ID, completed_by, rating, text, updated_by) VALUES (7, 'a@x.io', 4, 'y', 'b@x.io')";
    stage.send(&event("ANNOTATION_CREATED", 2, 1, "", "y"));
    assert_eq!(stage.statements().last().unwrap(), insert);
    stage.send(&event("ANNOTATION_UPDATED", 2, 1, "", "y"));
    assert_eq!(stage.statements().last().unwrap(), insert);
}

#[test]
fn long_statements_are_followed_on_the_own_host_only() {
    let presto = MockService::start(|request| match (request.method.as_str(), request.path()) {
        ("POST", _) => Answer::json(
            &json!({ "nextUri": "http://internal.example:8443/v1/statement/q/1?slug=s", "stats": { "state": "QUEUED" } }),
        ),
        (_, "/v1/statement/q/1") => {
            Answer::json(&json!({ "nextUri": "/v1/statement/q/2", "data": [[1]] }))
        }
        _ => Answer::json(&json!({ "data": [[2]] })),
    });
    let client =
        label_studio_services::ServiceClient::new(label_studio_services::ServiceOptions::default())
            .unwrap();
    let connection = watsonx_llm::Presto::new(
        client,
        &watsonx_llm::PrestoAccess {
            url: &presto.url(""),
            user: "u",
            password: &"password".into(),
            catalog: "c",
            schema: "s",
        },
    )
    .unwrap();
    let rows = connection
        .execute("SELECT 1", label_studio_services::Deadline::predict())
        .unwrap();
    assert_eq!(rows, [[json!(1)], [json!(2)]]);
    let received = presto.received();
    assert_eq!(received[1].target, "/v1/statement/q/1?slug=s");
    assert!(
        received
            .iter()
            .all(|request| request.header("authorization") == Some("Basic dTpwYXNzd29yZA=="))
    );
}

#[test]
fn bad_events_and_strangers_are_refused() {
    let stage = stage_with(&["--watsonx-export-token", "let-me-in"], |_| done());
    let good = event("ANNOTATION_CREATED", 1, 1, "", "x").to_string();
    let send = |headers: &[(&str, &str)], body: &str| {
        let headers = [&[("content-type", "application/json")], headers].concat();
        stage
            .client
            .send("POST", "/data/upload", &headers, body.to_owned())
            .0
    };
    assert_eq!(send(&[], &good), 401);
    assert_eq!(send(&[("x-export-token", "wrong")], &good), 401);
    let token = [("x-export-token", "let-me-in")];
    assert_eq!(send(&token, &good), 200);
    assert_eq!(send(&[("authorization", "Bearer let-me-in")], &good), 200);
    let n = stage.statements().len();
    assert_eq!(send(&token, "{\"action\": \"ANNOTATION_CREATED\"}"), 400);
    assert_eq!(
        send(
            &token,
            "{\"action\": \"ANNOTATION_CREATED\", \"task\": {\"id\": 1}}"
        ),
        400
    );
    assert_eq!(send(&token, "{\"action\": \"PROJECT_UPDATED\"}"), 200);
    assert_eq!(send(&token, "{"), 400);
    assert_eq!(stage.statements().len(), n);
    assert_eq!(
        stage.client.get("/data/health"),
        (200, json!({ "status": "UP" }))
    );
    assert_eq!(stage.client.get("/data/"), (200, json!({ "status": "UP" })));
    assert_eq!(stage.client.get("/data/upload").0, 405);
}

#[test]
fn missing_settings_are_named() {
    let model = WatsonXModel::new(
        options(&watsonx(|_| generated("x")), &["--watsonx-table", "t"]),
        NetworkOptions::default(),
    )
    .unwrap();
    let client = TestClient::new(model);
    let (status, answer) = client.post("/data/upload", &event("ANNOTATION_CREATED", 1, 1, "", "x"));
    assert_eq!(status, 500);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("WATSONX_ENG_HOST") && !detail.contains("WATSONX_TABLE"),
        "{detail}"
    );
}

#[test]
fn the_password_is_in_no_error() {
    let stage = stage_with(&[], |_| {
        refused("user ibmlhapikey with secret-api-key may not write")
    });
    let (status, answer) = stage
        .client
        .post("/data/upload", &event("ANNOTATION_CREATED", 1, 1, "", "x"));
    assert_eq!(status, 500);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("may not write") && !detail.contains("secret-api-key"),
        "{detail}"
    );
}

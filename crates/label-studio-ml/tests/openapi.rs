//! What `/openapi.json` says, against what the server does and what Label Studio has sent.

use boon::{Compiler, Draft, Schemas};
use label_studio_ml::{FnModel, Prediction, Value, json, serde_json, testing::TestClient};

/// One call of each kind that Label Studio 1.23.2 made, and the answer of a backend of the Python
/// original.
const CALLS: &str = include_str!("fixtures/label_studio_calls.json");
const DOCUMENT: &str = "http://backend/openapi.json";

/// Answers each task with one region; training makes a new version.
fn client() -> TestClient {
    let model = FnModel::new("Echo").predict_fn(|_, request| {
        let region = |task: &label_studio_ml::Task| Prediction::new([json!({ "id": task.id })]);
        Ok(request.tasks.iter().map(region).collect())
    });
    TestClient::new(model.update_fn(|project, _| Ok(project.bump_model_version()?.into())))
}

/// The description, and whether JSON fits its schemas.
struct Description {
    document: Value,
}

impl Description {
    fn of(client: &TestClient) -> Self {
        let (status, document) = client.get("/openapi.json");
        assert_eq!(status, 200);
        Self { document }
    }

    /// Checks JSON against the schema at a place of the description.
    fn check(&self, place: &[&str], json: &Value) {
        let escaped = place
            .iter()
            .map(|name| name.replace('~', "~0").replace('/', "~1"));
        let pointer = escaped.fold(String::new(), |pointer, name| pointer + "/" + &name);
        assert!(
            self.document.pointer(&pointer).is_some(),
            "there is no {pointer}"
        );
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler
            .add_resource(DOCUMENT, self.document.clone())
            .unwrap();
        let mut schemas = Schemas::new();
        let location = format!("{DOCUMENT}#{pointer}");
        let schema = compiler.compile(&location, &mut schemas).unwrap();
        if let Err(error) = schemas.validate(json, schema) {
            panic!("{pointer}: {error:#}\n{json}");
        }
    }

    fn check_body(&self, path: &str, json: &Value) {
        let place = [
            "paths",
            path,
            "post",
            "requestBody",
            "content",
            "application/json",
            "schema",
        ];
        self.check(&place, json);
    }

    fn check_answer(&self, method: &str, path: &str, status: u16, json: &Value) {
        let status = if status >= 400 {
            "default".to_owned()
        } else {
            status.to_string()
        };
        let place = [
            "paths",
            path,
            method,
            "responses",
            &status,
            "content",
            "application/json",
            "schema",
        ];
        self.check(&place, json);
    }
}

#[test]
fn every_route_is_described_with_its_method_and_nothing_else() {
    let client = client();
    let description = Description::of(&client);
    let paths = description.document["paths"].as_object().unwrap();
    let mut known: Vec<_> = paths.keys().map(String::as_str).collect();
    known.sort_unstable();
    let expected = [
        "/",
        "/dashboard/editor/{file}",
        "/dashboard/label-config",
        "/dashboard/media",
        "/dashboard/state",
        "/dashboard/task",
        "/dashboard/{file}",
        "/docs",
        "/health",
        "/jobs",
        "/jobs/{id}",
        "/jobs/{id}/log",
        "/jobs/{id}/retry",
        "/live",
        "/metrics",
        "/openapi.json",
        "/predict",
        "/ready",
        "/setup",
        "/train",
        "/versions",
        "/versions/{version}/activate",
        "/webhook",
    ];
    assert_eq!(known, expected);
    let train = json!({ "action": "START_TRAINING", "project": { "id": 1 } });
    assert_eq!(client.post("/webhook", &train).0, 201);
    for (path, operations) in paths {
        let is_page = operations
            .pointer("/get/responses/200/content/text~1html")
            .is_some();
        let is_file = operations
            .pointer("/get/responses/200/content/*~1*")
            .is_some();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let headers = [
                ("content-type", "application/json"),
                ("accept", "application/json"),
            ];
            let called = path.replace("{id}", "1").replace("{file}", "app.js");
            let (status, answer) = client.send(method, &called, &headers, "{}");
            let method = method.to_lowercase();
            assert_eq!(
                status != 405,
                operations.get(&method).is_some(),
                "{method} {path}"
            );
            if status != 405 && is_file {
                if status != 200 {
                    description.check_answer(&method, path, status, &answer);
                }
            } else if status != 405 && is_page {
                assert_eq!(status, 200, "{path}");
            } else if status != 405 {
                assert_ne!(status, 404, "{path}");
                description.check_answer(&method, path, status, &answer);
            }
        }
    }
}

#[test]
fn what_label_studio_sends_and_gets_fits_the_description() {
    let client = client();
    let description = Description::of(&client);
    let calls: Vec<Value> = serde_json::from_str(CALLS).unwrap();
    for call in &calls {
        let (method, path) = (
            call["method"].as_str().unwrap(),
            call["path"].as_str().unwrap(),
        );
        if method == "POST" {
            description.check_body(path, &call["body"]);
        }
        let recorded = u16::try_from(call["status"].as_u64().unwrap()).unwrap();
        if recorded < 300 {
            description.check_answer(&method.to_lowercase(), path, recorded, &call["answer"]);
        }
        let headers = [("content-type", "application/json")];
        let (status, answer) = client.send(method, path, &headers, call["body"].to_string());
        assert!(status < 300, "{path}: {answer}");
        description.check_answer(&method.to_lowercase(), path, status, &answer);
    }
    assert!(calls.len() > 15);
}

#[test]
fn the_description_says_what_the_server_takes() {
    let description = Description::of(&client());
    let content = &description.document["paths"]["/metrics"]["get"]["responses"]["200"]["content"];
    assert!(
        content.get("application/openmetrics-text").is_some(),
        "{content}"
    );
    description.check_body("/webhook", &json!({ "project": { "id": 1 } }));
    let schemas = &description.document["components"]["schemas"];
    let properties = |schema: &str| &schemas[schema]["properties"];
    let task = &properties("PredictBody")["tasks"]["items"]["properties"];
    assert_eq!(task["data"]["type"], "object", "not null");
    assert_eq!(properties("SetupBody")["schema"]["minLength"], 1);
}

#[test]
fn errors_fit_the_description() {
    let client = client();
    let description = Description::of(&client);
    for (path, body) in [
        ("/predict", json!({ "tasks": 5 })),
        ("/predict", json!({ "tasks": [], "label_config": "<View" })),
        ("/setup", json!({})),
        ("/webhook", json!({ "action": "START_TRAINING" })),
    ] {
        let (status, answer) = client.post(path, &body);
        assert_eq!(status, 400, "{answer}");
        description.check_answer("post", path, status, &answer);
    }
}

//! A model that reads requests and writes answers itself, behind the whole server.

use std::sync::Arc;

use label_studio_ml::{
    Event, Model, PredictRequest, Predictions, Project, Resources, ServerArgs, Value, anyhow, json,
    raw::{
        OwnRoute, RawAnswer, RawCustomAnswer, RawCustomRequest, RawError, RawMetric, RawModel,
        RawRequest, Readiness, http::Response,
    },
    store::MemoryStore,
    testing::TestClient,
};

const LABEL_CONFIG: &str = r#"<View><Text name="t" value="$text"/></View>"#;

/// Answers with the body that it got, or with an error.
struct Echo {
    readiness: Readiness,
    error: Option<RawError>,
}

impl Echo {
    fn answer(&self, request: RawRequest) -> RawAnswer {
        if self.readiness == Readiness::Loading {
            return Box::pin(std::future::pending());
        }
        let answer = self.error.clone().map_or(Ok(request.body), Err);
        Box::pin(std::future::ready(answer))
    }
}

impl Model for Echo {
    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        anyhow::bail!("the request was not handed over as it came")
    }

    fn fit(&self, _: &Project, event: &Event) -> anyhow::Result<Value> {
        match &self.error {
            Some(error) => Err(error.clone().into()),
            None => Ok(event.payload["project"]["id"].clone()),
        }
    }
}

impl RawModel for Echo {
    fn predict_raw(&self, request: RawRequest) -> RawAnswer {
        self.answer(request)
    }

    fn setup_raw(&self, request: RawRequest) -> RawAnswer {
        self.answer(request)
    }

    fn permits(&self) -> usize {
        2
    }

    fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    fn metrics(&self) -> Vec<RawMetric> {
        let number = |name, is_counter, value| RawMetric {
            name,
            help: "Counts",
            is_counter,
            value,
        };
        vec![number("workers", false, 2), number("restarts", true, 7)]
    }
}

fn serve(readiness: Readiness, error: Option<RawError>) -> TestClient {
    let model = Echo { readiness, error };
    let resources = Resources::new(MemoryStore::default());
    TestClient::with_raw(move || Arc::new(model), &ServerArgs::default(), resources)
}

#[test]
fn requests_are_handed_over_as_they_came() {
    let client = serve(Readiness::Ready, None);
    let predict = json!({ "tasks": [{ "id": 1, "data": { "text": "a\"b" } }], "project": "1.2", "label_config": LABEL_CONFIG, "more": [1] });
    assert_eq!(client.post("/predict", &predict), (200, predict));
    let setup = json!({ "project": 1, "schema": LABEL_CONFIG, "extra_params": { "a": 1 } });
    assert_eq!(client.post("/setup", &setup), (200, setup));
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 7, "label_config": LABEL_CONFIG } });
    let answer = json!({ "result": 7, "status": "ok" });
    assert_eq!(client.post("/webhook", &event), (201, answer));
}

#[test]
fn what_only_python_reads_is_left_to_python() {
    let client = serve(Readiness::Ready, None);
    let json = [("content-type", "application/json")];
    let body = r#"{"tasks": [{"data": {"text": "\ud83d", "score": NaN}}], "project": "1", "label_config": "<View/>", "a": ?}"#;
    assert_eq!(
        client.send("POST", "/predict", &json, body.to_owned()).0,
        400
    );
    let body = body.replace(", \"a\": ?", "");
    // The answer is the body, which is no JSON.
    assert_eq!(
        client.send("POST", "/predict", &json, body),
        (200, Value::Null)
    );
}

#[test]
fn requests_that_make_no_sense_do_not_reach_the_model() {
    let client = serve(Readiness::Ready, None);
    let long = "x".repeat(100_000);
    for (path, body, said) in [
        (
            "/predict",
            json!({ "tasks": { "data": {} } }),
            "a list of tasks",
        ),
        (
            "/predict",
            json!({ "tasks": [{ "data": {} }, { "id": 1 }] }),
            "tasks[1]: missing field `data`",
        ),
        (
            "/predict",
            json!({ "tasks": [{ "data": long }] }),
            "tasks[0]: invalid type",
        ),
        (
            "/predict",
            json!({ "tasks": [], "label_config": "<View" }),
            "not valid XML",
        ),
        ("/predict", json!({ "params": [] }), "expected an object"),
        ("/setup", json!({}), "project"),
        (
            "/webhook",
            json!({ "action": "START_TRAINING" }),
            "project.id",
        ),
    ] {
        let (status, answer) = client.post(path, &body);
        assert_eq!(status, 400, "{path} {answer}");
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{detail}");
    }
}

#[test]
fn errors_keep_their_status() {
    let client = serve(Readiness::Ready, Some(RawError::new(404, "no such file")));
    let event = json!({ "action": "START_TRAINING", "project": { "id": 7 } });
    for (path, body) in [
        ("/predict", json!({ "tasks": [] })),
        ("/setup", json!({ "project": "1" })),
        ("/webhook", event),
    ] {
        let (status, answer) = client.post(path, &body);
        assert_eq!((status, &answer["detail"]), (404, &json!("no such file")));
        assert!(answer["request_id"].is_string());
    }
}

#[test]
fn setup_is_answered_from_the_store_while_the_model_loads() {
    let client = serve(Readiness::Loading, None);
    assert_eq!(client.get("/ready").0, 503);
    assert_eq!(client.get("/health").0, 200);
    let answer = client.post(
        "/setup",
        &json!({ "project": "1", "schema": LABEL_CONFIG, "extra_params": "{}" }),
    );
    assert_eq!(answer, (200, json!({ "model_version": "0.0.1" })));
}

#[test]
fn readiness_says_why_the_model_cannot_be_loaded() {
    let client = serve(Readiness::Failed("ImportError: torch".to_owned()), None);
    let (status, answer) = client.get("/ready");
    assert_eq!(status, 503);
    assert_eq!(
        answer["detail"],
        "the model could not be loaded: ImportError: torch"
    );
    assert_eq!(serve(Readiness::Ready, None).get("/ready").0, 200);
}

#[test]
fn numbers_of_the_model_are_among_the_metrics() {
    let client = serve(Readiness::Ready, None);
    let (_, metrics) = client.send("GET", "/metrics", &[("accept", "application/json")], "");
    assert_eq!(metrics["samples"]["label_studio_ml_workers"], 2.0);
    assert_eq!(metrics["samples"]["label_studio_ml_restarts_total"], 7.0);
}

/// Answers every path that it is asked for with the path.
struct WithPages {
    own_routes: Vec<OwnRoute>,
}

impl Model for WithPages {
    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        Ok(Predictions::default())
    }
}

impl RawModel for WithPages {
    fn predict_raw(&self, request: RawRequest) -> RawAnswer {
        Box::pin(std::future::ready(Ok(request.body)))
    }

    fn setup_raw(&self, request: RawRequest) -> RawAnswer {
        Box::pin(std::future::ready(Ok(request.body)))
    }

    fn permits(&self) -> usize {
        1
    }

    fn has_custom_routes(&self) -> bool {
        true
    }

    fn own_routes(&self) -> &[OwnRoute] {
        &self.own_routes
    }

    fn custom_route_raw(&self, request: RawCustomRequest) -> RawCustomAnswer {
        let path = json!(request.head.uri.path()).to_string();
        Box::pin(std::future::ready(Ok(Some(Response::new(path.into())))))
    }
}

#[test]
fn a_models_own_routes_replace_those_of_the_server_for_people() {
    let own_routes = ["GET /live", "GET /jobs/*", "GET /"];
    let own_routes = own_routes.iter().filter_map(|text| OwnRoute::parse(text));
    let own_routes = own_routes.collect();
    let model = WithPages { own_routes };
    let resources = Resources::new(MemoryStore::default());
    let client = TestClient::with_raw(move || Arc::new(model), &ServerArgs::default(), resources);
    assert_eq!(client.get("/live"), (200, json!("/live")));
    assert_eq!(client.get("/jobs/7"), (200, json!("/jobs/7")));
    assert_eq!(client.get("/jobs").1["jobs"], json!([]));
    let delete = client.send("DELETE", "/jobs/7", &[], "");
    assert_eq!(delete.0, 404, "the server's: there is no such job");
    assert_eq!(client.get("/").1["status"], "UP");
    let browser = [("accept", "text/html")];
    assert_eq!(client.send("GET", "/", &browser, ""), (200, json!("/")));
    assert_eq!(OwnRoute::parse("/live"), None);
}

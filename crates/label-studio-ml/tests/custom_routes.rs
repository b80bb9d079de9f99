//! Paths that a model answers itself.

use label_studio_ml::{
    CustomReply, CustomRequest, Model, PredictRequest, Predictions, Project, Resources, ServerArgs,
    anyhow::{self, bail},
    json,
    settings::BasicAuthArgs,
    store::MemoryStore,
    testing::TestClient,
};

struct Exporter;

impl Model for Exporter {
    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        Ok(Predictions::default())
    }

    fn custom_routes(&self) -> &[&str] {
        &["/data/upload", "/data/broken"]
    }

    fn answer_custom_route(&self, request: &CustomRequest) -> anyhow::Result<CustomReply> {
        if request.path == "/data/broken" {
            bail!("no table");
        }
        let project = request.project("7");
        project.set("last", &request.body.to_string())?;
        let body = json!({
            "method": request.method,
            "type": request.header("content-type"),
            "last": project.get("last")?,
        });
        Ok(CustomReply::new(202, body))
    }
}

#[test]
fn a_model_answers_its_custom_routes() {
    let client = TestClient::new(Exporter);
    let (status, answer) = client.post("/data/upload", &json!({ "a": 1 }));
    let expected = json!({ "method": "POST", "type": "application/json", "last": "{\"a\":1}" });
    assert_eq!((status, answer), (202, expected));
    assert_eq!(client.get("/data/upload").1["last"], "null");
}

#[test]
fn other_paths_do_not_exist_and_failures_say_why() {
    let client = TestClient::new(Exporter);
    assert_eq!(client.get("/data/other").0, 404);
    let (status, answer) = client.post("/data/broken", &json!({}));
    assert_eq!((status, &answer["detail"]), (500, &json!("no table")));
    let headers = [("content-type", "application/json")];
    assert_eq!(client.send("POST", "/data/upload", &headers, "{").0, 400);
}

#[test]
fn credentials_are_asked_for_here_too() {
    let args = ServerArgs {
        basic_auth: BasicAuthArgs::new("ann", "secret"),
        ..ServerArgs::default()
    };
    let resources = Resources::new(MemoryStore::default());
    let client = TestClient::with_resources(Exporter, &args, resources);
    assert_eq!(client.post("/data/upload", &json!({})).0, 401);
}

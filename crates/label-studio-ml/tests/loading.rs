//! Requests that arrive while the model still loads.

use std::sync::{
    Mutex,
    mpsc::{self, Sender},
};

use label_studio_ml::{
    Model, PredictRequest, Predictions, Project, ProjectId, Resources, anyhow, json,
    store::{MemoryStore, Store, StoreError},
    testing::TestClient,
};

/// A store that reports reads, which `/setup` makes before it needs the model.
struct Watched {
    store: MemoryStore,
    asked: Mutex<Sender<()>>,
}

impl Store for Watched {
    fn get(&self, project: &ProjectId, key: &str) -> Result<Option<String>, StoreError> {
        let _ = self.asked.lock().unwrap().send(());
        self.store.get(project, key)
    }

    fn set(&self, project: &ProjectId, key: &str, value: &str) -> Result<(), StoreError> {
        self.store.set(project, key, value)
    }

    fn values(&self, key: &str) -> Result<Vec<String>, StoreError> {
        self.store.values(key)
    }
}

struct Versioned;

impl Model for Versioned {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version("large-v7")?)
    }

    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        Ok(Predictions::default())
    }
}

/// Serves a model whose loading ends as `end` says, once a request has arrived.
fn serve(end: fn() -> anyhow::Result<Versioned>) -> TestClient {
    let (asked, arrived) = mpsc::channel();
    let store = Watched {
        store: MemoryStore::default(),
        asked: Mutex::new(asked),
    };
    let load = move || {
        arrived.recv()?;
        end()
    };
    TestClient::with_loader(load, Resources::new(store))
}

#[test]
fn setup_waits_for_a_model_that_is_nearly_loaded() {
    let client = serve(|| Ok(Versioned));
    let (status, answer) = client.post("/setup", &json!({ "project": "1.1" }));
    assert_eq!(
        (status, &answer["model_version"]),
        (200, &json!("large-v7")),
        "{answer}"
    );
}

#[test]
fn setup_says_why_loading_failed() {
    let client = serve(|| anyhow::bail!("the weights are torn"));
    let (status, answer) = client.post("/setup", &json!({ "project": "1.1" }));
    assert_eq!(status, 503, "{answer}");
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("the weights are torn"),
        "{answer}"
    );
}

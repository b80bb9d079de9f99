//! Tiny detectors with random weights, behind the whole server.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use label_studio_inference::{
    hub::ModelFolder,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{Value, anyhow, json, serde_json, testing::TestClient};
use label_studio_services::aws::PresignedUrls;
use label_studio_testing::check_results;
use label_studio_vision::{batches::ImageBatches, images::ImageArgs};
use mmdetection_3::{Detector, Detectors, MmDetection};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn runtime() -> anyhow::Result<Runtime> {
    Ok(Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR")))?)
}

pub fn detector(path: &Path) -> anyhow::Result<Detector> {
    Detector::load(&runtime()?, path, None)
}

/// What tests change about a model.
pub struct Options {
    pub images: ImageArgs,
    pub labels: BTreeMap<String, String>,
}

/// A model with a detector of the fixtures; the others of the folder are there for `model_path`.
pub fn tiny_model(
    file: &str,
    addresses: PresignedUrls,
    change: impl FnOnce(&mut Options),
) -> MmDetection {
    let mut options = Options {
        images: ImageArgs::default(),
        labels: BTreeMap::new(),
    };
    change(&mut options);
    let folder = ModelFolder::new(fixture(""));
    let detectors = Detectors::new(runtime().unwrap(), &fixture(file), None, folder);
    MmDetection {
        detectors: detectors.unwrap(),
        addresses,
        batches: ImageBatches {
            reader: Arc::new(options.images.reader()),
            batch_size: 3,
        },
        score_threshold: 0.5,
        labels: options.labels,
    }
}

/// Serves a detector of the fixtures.
pub fn serve(file: &str, labels: BTreeMap<String, String>) -> TestClient {
    let addresses = PresignedUrls::default();
    TestClient::new(tiny_model(file, addresses, |options| {
        options.labels = labels;
    }))
}

/// Answers a request for tasks with the given data; status and body.
pub fn post(client: &TestClient, label_config: &str, tasks: &[Value]) -> (u16, Value) {
    let tasks: Vec<_> = tasks
        .iter()
        .enumerate()
        .map(|(idx, data)| json!({ "id": idx + 1, "data": data }))
        .collect();
    client.post(
        "/predict",
        &json!({ "tasks": tasks, "label_config": label_config, "project": "1.1" }),
    )
}

pub fn results(client: &TestClient, label_config: &str, tasks: &[Value]) -> Vec<Value> {
    let (status, mut body) = post(client, label_config, tasks);
    assert_eq!(status, 200, "{body}");
    check_results(label_config, &body["results"]);
    serde_json::from_value(body["results"].take()).unwrap()
}

pub fn data_url(image: &str) -> String {
    let paths = ["png", "jpg"].map(|extension| fixture(&format!("{image}.{extension}")));
    let path = paths.iter().find(|path| path.exists());
    to_url(&fs::read(path.unwrap()).unwrap())
}

pub fn to_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

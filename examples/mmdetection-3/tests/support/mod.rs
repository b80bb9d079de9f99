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
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use label_studio_inference::{
    images::Limits,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{TestClient, Value, anyhow, json, serde_json};
use mmdetection_3::{Detector, MmDetection, Options};

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn detector(path: &Path) -> anyhow::Result<Detector> {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR")))?;
    Detector::load(&runtime, path)
}

/// Serves a detector of the fixtures.
pub fn serve(file: &str, labels: BTreeMap<String, String>) -> TestClient {
    let options = Options {
        score_threshold: 0.5,
        batch_size: 3,
        limits: Limits::default(),
        labels,
    };
    TestClient::new(MmDetection::new(detector(&fixture(file)).unwrap(), options))
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
    serde_json::from_value(body["results"].take()).unwrap()
}

pub fn data_url(image: &str) -> String {
    to_url(&fs::read(fixture(&format!("{image}.png"))).unwrap())
}

pub fn to_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

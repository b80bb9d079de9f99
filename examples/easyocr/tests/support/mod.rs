//! Small models with random weights, alone or behind the whole server.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use easyocr::{EasyOcr, EasyOcrArgs};
use label_studio_ml::{Value, anyhow, json, serde_json, testing::TestClient};
use label_studio_testing::{check_image_regions, flags, images::to_url};
use label_studio_vision::VisionArgs;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/easyocr.json")).unwrap()
}

pub fn label_config() -> String {
    vectors()["label_config"].as_str().unwrap().to_owned()
}

pub fn url(name: &str) -> String {
    to_url(&fs::read(fixture(name)).unwrap())
}

pub fn load(options: &[&str]) -> anyhow::Result<EasyOcr> {
    let (detector, models) = (fixture("ink.onnx"), fixture(""));
    let own = [
        "--easyocr-detector",
        detector.to_str().unwrap(),
        "--easyocr-models",
        models.to_str().unwrap(),
    ];
    load_english(&[&own[..], options].concat())
}

/// Loads the models for English that the options name, or else the released ones.
pub fn load_english(options: &[&str]) -> anyhow::Result<EasyOcr> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ort");
    let library = library.to_str().unwrap();
    let own = ["--lang-list", "en", "--ort-dylib-path", library];
    let all = [&own[..], options].concat();
    let (args, vision): (EasyOcrArgs, VisionArgs) = flags::parse_pair(&all);
    let network = label_studio_ml::ServerArgs::default().network.options();
    EasyOcr::load(args, vision.start(network)?)
}

pub fn backend(options: &[&str]) -> TestClient {
    TestClient::new(load(options).unwrap())
}

/// Returns the answer's entries, one per task.
pub fn results(client: &TestClient, label_config: &str, data: &[Value]) -> Vec<Value> {
    let tasks: Vec<_> = data.iter().map(|data| json!({ "data": data })).collect();
    let body = json!({ "tasks": tasks, "label_config": label_config, "project": "1.1" });
    let answer = client.predict(&body);
    let results = answer["results"].as_array().unwrap();
    for result in results.iter().filter(|result| result["result"].is_array()) {
        check_image_regions(&result["result"]);
    }
    results.clone()
}

/// A line that the backend found.
#[derive(Debug)]
pub struct FoundLine {
    /// In pixels.
    pub corners: Vec<[f64; 2]>,
    pub text: String,
    pub score: f64,
}

/// Returns the lines of an answer's entry.
pub fn lines(result: &Value) -> Vec<FoundLine> {
    let regions = result["result"].as_array().unwrap().iter();
    let texts = regions.filter(|region| region["type"] == "textarea");
    texts
        .map(|region| {
            let side = |name: &str| region[name].as_f64().unwrap() / 100.0;
            let (width, height) = (side("original_width"), side("original_height"));
            let points: Vec<[f64; 2]> =
                serde_json::from_value(region["value"]["points"].clone()).unwrap();
            let pixels = points.iter().map(|[x, y]| [x * width, y * height]);
            FoundLine {
                corners: pixels.collect(),
                text: region["value"]["text"][0].as_str().unwrap().to_owned(),
                score: region["score"].as_f64().unwrap(),
            }
        })
        .collect()
}

//! Small models behind the whole server.

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

use clap::Parser;
use label_studio_ml::{ServerArgs, Value, json, serde_json, testing::TestClient};
use label_studio_testing::images;
use label_studio_vision::{Vision, VisionArgs};
use ppocr::{PpOcr, PpOcrArgs};

pub const POLYGONS: &str = r#"<View><Image name="image" value="$image"/><Polygon name="poly" toName="image"/>
    <TextArea name="transcription" toName="image" perRegion="true"/></View>"#;

/// The flags of the backend.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    ppocr: PpOcrArgs,
    #[command(flatten)]
    vision: VisionArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// The settings with which RapidOCR found what `expected.json` has.
pub const RAPIDOCR: [&str; 4] = ["--pipeline", "rapidocr", "--score-threshold", "0"];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn data_url(name: &str) -> String {
    images::to_url(&fs::read(fixture(name)).unwrap())
}

/// Loads the small models with flags.
pub fn load(flags: &[&str]) -> label_studio_ml::anyhow::Result<PpOcr> {
    let [det, rec, cls] = ["tiny-det.onnx", "tiny-rec.onnx", "tiny-cls.onnx"]
        .map(|name| fixture(name).to_str().unwrap().to_owned());
    let models = [
        "--det-model",
        &det,
        "--rec-model",
        &rec,
        "--textline-model",
        &cls,
    ];
    load_with(&[&models[..], flags].concat())
}

/// Loads models that flags name.
pub fn load_with(flags: &[&str]) -> label_studio_ml::anyhow::Result<PpOcr> {
    // The last of several flags counts.
    let command = <Args as clap::CommandFactory>::command().args_override_self(true);
    let matches = command
        .try_get_matches_from(["ppocr"].iter().chain(flags))
        .unwrap();
    let args = <Args as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
    let mut vision = args.vision;
    vision.inference.onnx.more_folders = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(Path::to_owned)
        .collect();
    let vision: Vision = vision.start(args.server.network.options())?;
    args.ppocr.load(&vision)
}

pub fn client(flags: &[&str]) -> TestClient {
    TestClient::new(load(flags).unwrap())
}

/// Answers a request that succeeds: one entry per task.
pub fn results(client: &TestClient, label_config: &str, tasks: &[Value]) -> Vec<Value> {
    let tasks: Vec<_> = (tasks.iter().enumerate())
        .map(|(idx, data)| json!({ "id": idx + 1, "data": data }))
        .collect();
    let body = json!({ "tasks": tasks, "label_config": label_config, "project": "1.1" });
    let (status, mut body) = client.post("/predict", &body);
    assert_eq!(status, 200, "{body}");
    serde_json::from_value(body["results"].take()).unwrap()
}

/// The regions of one image.
pub fn regions(client: &TestClient, label_config: &str, url: &str) -> Vec<Value> {
    let mut result = results(client, label_config, &[json!({ "image": url })]).remove(0);
    serde_json::from_value(result["result"].take()).unwrap_or_else(|_| panic!("{result}"))
}

//! Tiny networks with random weights, behind the whole server.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use label_studio_inference::{
    hub::{Hub, HubOptions},
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{Value, json, sdk::brush_rle, serde_json, testing::TestClient};
use label_studio_testing::check_results;
use label_studio_vision::{
    batches::ImageBatches, images::ImageArgs, masks::Mask, video::VideoReader,
};
use tempfile::TempDir;
use yolo::{ModelFiles, Networks, TrackerFiles, Yolo};

/// A server with a folder of models.
pub struct TinyModel {
    pub client: TestClient,
    pub root: TempDir,
}

impl TinyModel {
    /// Puts files of the fixtures under other names into the folder, and serves them.
    pub fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, |_, _| {})
    }

    pub fn with(
        files: &[(&str, &str)],
        change: impl FnOnce(&mut ModelFiles, &mut Options),
    ) -> Self {
        let root = tempfile::tempdir().unwrap();
        let model = tiny_yolo(root.path(), files, change);
        Self {
            client: TestClient::new(model),
            root,
        }
    }

    /// Answers a request for tasks with the given data; status and body.
    pub fn post(&self, label_config: &str, tasks: &[Value]) -> (u16, Value) {
        request(&self.client, label_config, tasks)
    }

    /// Answers a request that succeeds: one entry per task.
    pub fn results(&self, label_config: &str, tasks: &[Value]) -> Vec<Value> {
        post(&self.client, label_config, tasks)
    }

    /// The message of a request that fails.
    pub fn error(&self, label_config: &str, tasks: &[Value]) -> String {
        let (status, body) = self.post(label_config, tasks);
        assert_eq!(status, 500, "{body}");
        body["detail"].as_str().unwrap().to_owned()
    }
}

fn request(client: &TestClient, label_config: &str, tasks: &[Value]) -> (u16, Value) {
    let tasks: Vec<_> = tasks
        .iter()
        .enumerate()
        .map(|(idx, data)| json!({ "id": idx + 1, "data": data }))
        .collect();
    let body = json!({ "tasks": tasks, "label_config": label_config, "project": "1.1" });
    client.post("/predict", &body)
}

/// Answers a request that succeeds: one entry per task.
pub fn post(client: &TestClient, label_config: &str, tasks: &[Value]) -> Vec<Value> {
    let (status, mut body) = request(client, label_config, tasks);
    assert_eq!(status, 200, "{body}");
    check_results(label_config, &without_refused(&body["results"]));
    serde_json::from_value(body["results"].take()).unwrap()
}

/// Leaves out what Label Studio may refuse. The boxes around key points belong to the tag `NAME_bbox`, as in the original,
/// which the label config may lack. A turned box may reach so far out of its image that no corner is in it.
fn without_refused(results: &Value) -> Value {
    let mut results = results.clone();
    for prediction in results.as_array_mut().unwrap() {
        if let Some(regions) = prediction.get_mut("result").and_then(Value::as_array_mut) {
            let is_turned =
                |region: &Value| region["value"]["rotation"].as_f64().map(f64::abs) > Some(0.0);
            regions.retain(|region| region["hidden"] != true && !is_turned(region));
        }
    }
    results
}

/// What tests change about a model.
pub struct Options {
    pub score_threshold: f64,
    pub batch_size: usize,
    pub images: ImageArgs,
}

/// A model with files of the fixtures under other names in the folder `root`.
pub fn tiny_yolo(
    root: &Path,
    files: &[(&str, &str)],
    change: impl FnOnce(&mut ModelFiles, &mut Options),
) -> Yolo {
    for (name, source) in files {
        let target = root.join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(fixture(source), target).unwrap();
    }
    let mut model_files = ModelFiles {
        root: root.to_owned(),
        allows_model_path: true,
        defaults: HashMap::new(),
    };
    let mut options = Options {
        score_threshold: 0.5,
        batch_size: 8,
        images: ImageArgs::default(),
    };
    change(&mut model_files, &mut options);
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let hub = Hub::new(HubOptions::default()).unwrap();
    Yolo {
        trackers: TrackerFiles {
            root: model_files.root.clone(),
        },
        networks: Networks::new(runtime, hub, model_files),
        videos: VideoReader::default(),
        batches: ImageBatches {
            reader: Arc::new(options.images.reader()),
            batch_size: options.batch_size,
        },
        score_threshold: options.score_threshold,
    }
}

/// The regions of one image of the fixtures.
pub fn predict(model: &TinyModel, label_config: &str, image: &str) -> Vec<Value> {
    let mut result = model
        .results(label_config, &[json!({ "image": data_url(image) })])
        .remove(0);
    assert_eq!(result["model_version"], "yolo", "{image}: {result}");
    serde_json::from_value(result["result"].take()).unwrap()
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn expected(network: &str) -> Value {
    let file = fs::read(fixture("expected.json")).unwrap();
    serde_json::from_slice::<Value>(&file).unwrap()[network].take()
}

/// A image as a URL that holds it.
pub fn data_url(image: &str) -> String {
    let names = [format!("images/{image}.png"), format!("images/{image}.jpg")];
    let path = names
        .iter()
        .map(|name| fixture(name))
        .find(|path| path.exists());
    to_url(&fs::read(path.unwrap()).unwrap())
}

pub fn to_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

pub fn floats(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

/// The mask that a brush region holds.
pub fn brush_mask(region: &Value) -> Mask {
    let rle: Vec<u8> = serde_json::from_value(region["value"]["rle"].clone()).unwrap();
    let side = |name: &str| u32::try_from(region[name].as_u64().unwrap()).unwrap();
    let (width, height) = (side("original_width"), side("original_height"));
    let pixels = brush_rle::decode(&rle, width, height, 1 << 24).unwrap();
    let columns = width as usize;
    Mask::from_fn(columns, height as usize, |x, y| pixels[y * columns + x] > 0)
}

//! A tiny network with random weights, alone or behind the whole server.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use grounding_dino::GroundingDino;
use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_vision::{
    batches::ImageBatches,
    images::{ImageArgs, Limits},
    models::grounding_dino::{Detector, DetectorOptions, Finder, Thresholds},
};

pub const LABEL_CONFIG: &str = r#"
<View>
    <View className="prompt">
        <Header value="Enter a prompt to detect objects in the image:"/>
        <TextArea name="prompt" toName="image" editable="true" rows="2" maxSubmissions="1" showSubmitButton="true"/>
    </View>
    <Image name="image" value="$image"/>
    <RectangleLabels name="label" toName="image">
        <Label value="cats" background="yellow"/>
        <Label value="house" background="blue"/>
    </RectangleLabels>
    <Number name="box_threshold_1" toName="image"/>
    <TextArea name="notes" toName="image"/>
</View>"#;

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn runtime() -> Runtime {
    Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub fn detector(model: &str, options: DetectorOptions) -> Detector {
    Detector::load(
        &runtime(),
        fixture(model),
        fixture("tokenizer.json"),
        options,
    )
    .unwrap()
}

pub fn backend(thresholds: Thresholds) -> TestClient {
    let options = DetectorOptions {
        max_overlap: 1.0,
        batch_size: 2,
        ..DetectorOptions::default()
    };
    let images = ImageArgs {
        limits: Limits {
            max_pixels: 1_000_000,
            ..Limits::default()
        },
        ..ImageArgs::default()
    };
    let finder = Finder {
        detector: detector("model.onnx", options),
        thresholds,
        batches: ImageBatches {
            reader: Arc::new(images.reader()),
            batch_size: 2,
        },
    };
    TestClient::new(GroundingDino { finder })
}

/// An image as a data URL.
pub fn data_url(name: &str) -> String {
    to_url(&fs::read(fixture(name)).unwrap())
}

pub fn to_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

pub fn predict_body(images: &[String], context: Option<&Value>) -> Value {
    let tasks: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(idx, image)| json!({ "id": idx + 1, "data": { "image": image } }))
        .collect();
    json!({
        "tasks": tasks,
        "label_config": LABEL_CONFIG,
        "project": "1.1",
        "params": { "context": context },
    })
}

pub fn typed(prompt: &str) -> Value {
    json!({ "result": [{
        "id": "p1",
        "from_name": "prompt",
        "to_name": "image",
        "type": "textarea",
        "value": { "text": [prompt] },
    }] })
}

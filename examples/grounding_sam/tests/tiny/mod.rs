//! The backend on the tiny networks of `grounding_dino` and `segment_anything_model`.

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
use grounding_sam::GroundingSam;
use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{Value, json, sdk::brush_rle, serde_json, testing::TestClient};
use label_studio_testing::{check_ids, check_interactive_results};
use label_studio_vision::{
    batches::ImageBatches,
    images::ImageArgs,
    masks::Mask,
    models::{
        grounding_dino::{Detector, DetectorOptions, Finder, Thresholds},
        sam::{MaskChoice, Predictor, Sam},
    },
};

pub const LABEL_CONFIG: &str = r#"
<View>
  <Image name="image" value="$image"/>
  <View className="prompt">
    <TextArea name="prompt" toName="image" editable="true" rows="2" maxSubmissions="1" showSubmitButton="true"/>
  </View>
  <RectangleLabels name="label" toName="image"><Label value="cats"/><Label value="house"/></RectangleLabels>
  <BrushLabels name="label2" toName="image"><Label value="cats"/><Label value="house"/></BrushLabels>
</View>"#;

pub fn dino(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../grounding_dino/tests/fixtures")
        .join(name)
}

pub fn sam_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../segment_anything_model/tests/fixtures")
        .join(name)
}

pub fn runtime() -> Runtime {
    Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub fn predictor() -> Predictor {
    let (encoder, decoder) = (sam_file("tiny.encoder.onnx"), sam_file("tiny.decoder.onnx"));
    let sam = Sam::load(&runtime(), encoder, decoder, MaskChoice::Auto).unwrap();
    Predictor::new(sam, 1 << 20)
}

pub fn model(segmenter: Option<Predictor>) -> GroundingSam {
    let options = DetectorOptions {
        max_overlap: 1.0,
        ..DetectorOptions::default()
    };
    let (weights, tokenizer) = (dino("model.onnx"), dino("tokenizer.json"));
    let finder = Finder {
        detector: Detector::load(&runtime(), weights, tokenizer, options).unwrap(),
        thresholds: Thresholds {
            box_score: 0.5,
            token_score: 0.4,
        },
        batches: ImageBatches {
            reader: Arc::new(ImageArgs::default().reader()),
            batch_size: 2,
        },
    };
    GroundingSam { finder, segmenter }
}

pub fn data_url(name: &str) -> String {
    to_url(&fs::read(dino(name)).unwrap())
}

pub fn to_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

pub fn body(label_config: &str, images: &[String], prompt: &str) -> Value {
    let tasks: Vec<_> = images
        .iter()
        .map(|image| json!({ "data": { "image": image } }))
        .collect();
    let other =
        json!({ "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": {} });
    let typed = json!({ "from_name": "prompt", "to_name": "image", "type": "textarea", "value": { "text": [prompt] } });
    json!({
        "tasks": tasks,
        "label_config": label_config,
        "project": "1.1",
        "params": { "context": { "result": [other, typed] } },
    })
}

pub fn predict(client: &TestClient, request: &Value) -> Vec<Value> {
    let (status, answer) = client.post("/predict", request);
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    let label_config = request["label_config"].as_str().unwrap();
    check_interactive_results(label_config, &answer["results"]);
    check_ids(&answer["results"]);
    results.clone()
}

pub fn regions(result: &Value) -> &Vec<Value> {
    result["result"].as_array().unwrap()
}

pub fn mask(region: &Value) -> Mask {
    let rle: Vec<u8> = serde_json::from_value(region["value"]["rle"].clone()).unwrap();
    let side = |name: &str| u32::try_from(region[name].as_u64().unwrap()).unwrap();
    let (width, height) = (side("original_width"), side("original_height"));
    let pixels = brush_rle::decode(&rle, width, height, 1 << 24).unwrap();
    let columns = width as usize;
    Mask::from_fn(columns, height as usize, |x, y| pixels[y * columns + x] > 0)
}

//! What Label Studio needs of every backend.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{json, testing::TestClient};
use label_studio_testing::check_repeater;
use label_studio_vision::{
    images::ImageArgs,
    models::sam::{Checkpoints, MaskChoice, SamArgs},
};
use segment_anything_2_image::SegmentAnything2;

const CONFIG: &str = r#"<View><Image name="image" value="$image"/>
  <PolygonLabels name="tag" toName="image"><Label value="defect"/></PolygonLabels>
  <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="defect"/></KeyPointLabels></View>"#;

fn client() -> TestClient {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let checkpoints = Checkpoints {
        encoder: fixtures.join("tiny.encoder.onnx"),
        decoder: fixtures.join("tiny.decoder.onnx"),
    };
    let args = SamArgs {
        mask_choice: MaskChoice::Auto,
        embedding_cache_mb: 64,
    };
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let reader = Arc::new(ImageArgs::default().reader());
    TestClient::new(SegmentAnything2::load(&runtime, &checkpoints, &args, reader).unwrap())
}

#[test]
fn a_click_on_one_entry_of_a_repeater_is_answered_there() {
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images/wide.png");
    let image = BASE64_STANDARD.encode(fs::read(image).unwrap());
    let click = json!({
        "type": "keypointlabels", "from_name": "tag2", "to_name": "image", "is_positive": true,
        "value": { "x": 40, "y": 50, "width": 0.3, "keypointlabels": ["defect"] },
    });
    let data = json!({ "image": format!("data:image/png;base64,{image}") });
    let body = json!({
        "tasks": [{ "id": 1, "data": data }], "project": "1.1", "label_config": CONFIG,
        "params": { "context": { "result": [click] } },
    });
    check_repeater(&client(), &body);
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let no_masks = r#"<View><Image name="image" value="$image"/>
        <KeyPointLabels name="label" toName="image" smart="true"><Label value="cats"/></KeyPointLabels></View>"#;
    let setup = json!({ "project": "1.1", "schema": no_masks });
    let (status, answer) = client().post("/setup", &setup);
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer["detail"].as_str().unwrap().contains("BrushLabels"),
        "{answer}"
    );
}

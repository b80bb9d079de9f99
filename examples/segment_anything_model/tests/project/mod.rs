//! A project whose images are the fixtures, and the model on the tiny checkpoints.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{
    Model, PredictRequest, Project, Task, Value, json, sdk::brush_rle, serde_json,
};
use label_studio_testing::{check_ids, check_interactive_results, project_in};
use label_studio_vision::{
    images::ImageArgs,
    models::sam::{Checkpoints, MaskChoice, SamArgs},
};
use segment_anything_model::SegmentAnythingModel;

pub(crate) const LABEL_CONFIG: &str = r#"<View>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="tag" toName="image"><Label value="Banana"/><Label value="Orange"/></BrushLabels>
  <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="Banana"/><Label value="Orange"/></KeyPointLabels>
  <RectangleLabels name="tag3" toName="image" smart="true"><Label value="Banana"/><Label value="Orange"/></RectangleLabels>
</View>"#;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub(crate) fn tiny() -> SegmentAnythingModel {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let checkpoints = Checkpoints {
        encoder: fixture("tiny.encoder.onnx"),
        decoder: fixture("tiny.decoder.onnx"),
    };
    let args = SamArgs {
        mask_choice: MaskChoice::Auto,
        embedding_cache_mb: 64,
    };
    let reader = Arc::new(ImageArgs::default().reader());
    SegmentAnythingModel::load(&runtime, &checkpoints, &args, reader).unwrap()
}

pub(crate) fn project() -> Project {
    project_in(&fixture("images"), LABEL_CONFIG)
}

pub(crate) fn task(name: &str) -> Value {
    json!({ "id": 1, "data": { "image": format!("/data/local-files/?d={name}") } })
}

/// A smart key point at a place in percent.
pub(crate) fn key_point(x: f64, y: f64, label: &str, is_positive: bool) -> Value {
    json!({
        "original_width": 100, "original_height": 100, "image_rotation": 0, "id": "kp",
        "from_name": "tag2", "to_name": "image", "type": "keypointlabels", "is_positive": is_positive,
        "value": { "x": x, "y": y, "width": 0.3, "labels": [label], "keypointlabels": [label] },
    })
}

pub(crate) fn rectangle(edges: [f64; 4], label: &str) -> Value {
    let [x, y, width, height] = edges;
    json!({
        "original_width": 100, "original_height": 100, "image_rotation": 0, "id": "box",
        "from_name": "tag3", "to_name": "image", "type": "rectanglelabels",
        "value": { "x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label] },
    })
}

/// Returns the answer as Label Studio gets it: one entry per task.
pub(crate) fn predict(
    model: &SegmentAnythingModel,
    project: &Project,
    tasks: &[Value],
    context: &[Value],
) -> Value {
    let tasks = tasks.iter().map(|task| Task::from_value(task).unwrap());
    let request = PredictRequest {
        context: Some(json!({ "result": context })),
        ..PredictRequest::new(tasks.collect())
    };
    let answer = serde_json::to_value(model.predict(project, &request).unwrap()).unwrap();
    check_interactive_results(project.label_config().text(), &answer);
    check_ids(&answer);
    answer
}

/// Unpacks the mask of a brush region.
pub(crate) fn mask_of(region: &Value) -> Vec<bool> {
    let rle: Vec<u8> = serde_json::from_value(region["value"]["rle"].clone()).unwrap();
    let side = |key: &str| u32::try_from(region[key].as_u64().unwrap()).unwrap();
    let (width, height) = (side("original_width"), side("original_height"));
    let pixels = brush_rle::decode(&rle, width, height, 1 << 24).unwrap();
    pixels.into_iter().map(|pixel| pixel != 0).collect()
}

//! Images that are none, are broken or are too large: an error for their task, the others are answered.

mod support;

use std::fs;

use label_studio_ml::Value;
use label_studio_testing::images;
use support::{TinyModel, fixture};

const CONFIG: &str = "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"label\" toName=\"image\" \
    model_path=\"detect.onnx\" model_score_threshold=\"0.3\"><Label value=\"car\"/><Label value=\"person\"/>\
    <Label value=\"traffic light\"/></RectangleLabels></View>";

fn client() -> TinyModel {
    let files = [("detect.onnx", "tiny-detect.onnx")];
    TinyModel::with(&files, |_, options| {
        options.images.limits.max_pixels = images::MAX_PIXELS;
        options.images.limits.max_bytes = images::MAX_BYTES;
        options.batch_size = 4;
    })
}

fn results(model: &TinyModel, tasks: &[Value]) -> Vec<Value> {
    model.results(CONFIG, tasks)
}

#[test]
fn each_costs_its_task_only() {
    let client = client();
    let whole = fs::read(fixture("images/wide.png")).unwrap();
    images::check_each(&whole, |tasks| results(&client, tasks));
}

#[test]
fn of_an_animation_the_first_frame_counts() {
    let client = client();
    images::check_animation(|tasks| results(&client, tasks));
}

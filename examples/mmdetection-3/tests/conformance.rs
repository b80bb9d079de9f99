//! What Label Studio needs of every backend.

mod support;

use std::collections::BTreeMap;

use label_studio_ml::json;
use label_studio_testing::{check_backend, check_repeater};
use support::{data_url, serve};

const CONFIG: &str = r#"<View><Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image" model_score_threshold="0.7"><Label value="Airplane"/>
    <Label value="Car"/><Label value="Light" predicted_values="traffic light"/></RectangleLabels></View>"#;

#[test]
fn label_studio_stores_every_answer() {
    let client = serve("rtmdet-raw.onnx", BTreeMap::new());
    let tasks = [1, 2].map(|id| json!({ "id": id, "data": { "image": data_url("wide") } }));
    check_backend(&client, CONFIG, &tasks);
}

#[test]
fn each_entry_of_a_repeater_is_labelled() {
    let client = serve("rtmdet-raw.onnx", BTreeMap::new());
    let task = json!({ "id": 1, "data": { "image": data_url("wide") } });
    let body = json!({ "tasks": [task], "project": "1.1", "label_config": CONFIG });
    check_repeater(&client, &body);
}

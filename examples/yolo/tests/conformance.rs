//! What Label Studio needs of every backend.

mod support;

use label_studio_ml::json;
use label_studio_testing::{check_backend, check_repeater};
use support::{TinyModel, data_url};

const CONFIG: &str = r#"<View><Image name="image" value="$image"/>
  <RectangleLabels name="boxes" toName="image" model_path="detect.onnx" model_score_threshold="0.3">
    <Label value="car"/><Label value="person"/><Label value="traffic light"/><Label value="Persian_cat"/></RectangleLabels>
  <PolygonLabels name="outlines" toName="image" model_path="segment.onnx" model_score_threshold="0.9">
    <Label value="car"/><Label value="person"/><Label value="traffic light"/><Label value="Persian_cat"/></PolygonLabels>
  <BrushLabels name="masks" toName="image" model_path="segment.onnx" model_score_threshold="0.9">
    <Label value="car"/><Label value="person"/><Label value="traffic light"/><Label value="Persian_cat"/></BrushLabels>
  <Choices name="kind" toName="image" model_path="classify.onnx" model_score_threshold="0">
    <Choice value="car"/><Choice value="person"/><Choice value="traffic light"/><Choice value="Persian_cat"/></Choices></View>"#;

fn model() -> TinyModel {
    TinyModel::new(&[
        ("detect.onnx", "tiny-detect.onnx"),
        ("segment.onnx", "tiny-segment.onnx"),
        ("classify.onnx", "tiny-classify.onnx"),
    ])
}

#[test]
fn label_studio_stores_every_answer() {
    let tasks = [1, 2].map(|id| json!({ "id": id, "data": { "image": data_url("wide") } }));
    let predictions = check_backend(&model().client, CONFIG, &tasks);
    assert!(predictions[0]["result"].as_array().unwrap().len() > 3);
}

#[test]
fn label_studio_stores_turned_boxes_at_the_edge_and_points_with_their_boxes() {
    let model = TinyModel::new(&[
        ("obb.onnx", "tiny-obb.onnx"),
        ("pose.onnx", "tiny-pose.onnx"),
    ]);
    let labels = "<Label value=\"car\"/><Label value=\"person\"/><Label value=\"traffic light\"/><Label value=\"Persian_cat\"/>";
    let config = format!(
        "<View><Image name=\"image\" value=\"$image\"/>\
         <RectangleLabels name=\"boxes\" toName=\"image\" model_obb=\"true\" model_path=\"obb.onnx\" \
         model_score_threshold=\"0.3\">{labels}</RectangleLabels>\
         <RectangleLabels name=\"points_bbox\" toName=\"image\" model_skip=\"true\">{labels}</RectangleLabels>\
         <KeyPointLabels name=\"points\" toName=\"image\" model_path=\"pose.onnx\" model_score_threshold=\"0.3\">\
         <Label value=\"person\" predicted_values=\"person\" model_index=\"0\"/></KeyPointLabels></View>"
    );
    let tasks = ["wide", "tall"].map(|image| json!({ "data": { "image": data_url(image) } }));
    let predictions = check_backend(&model.client, &config, &tasks);
    let regions = predictions
        .iter()
        .flat_map(|prediction| prediction["result"].as_array().unwrap());
    let turned =
        regions.filter(|region| region["value"]["rotation"].as_f64().map(f64::abs) > Some(0.0));
    assert!(turned.count() > 2);
}

#[test]
fn each_entry_of_a_repeater_is_labelled() {
    let task = json!({ "id": 1, "data": { "image": data_url("wide") } });
    let body = json!({ "tasks": [task], "project": "1.1", "label_config": CONFIG });
    check_repeater(&model().client, &body);
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let text = r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"#;
    let setup = json!({ "project": "1.1", "schema": text });
    let (status, answer) = model().client.post("/setup", &setup);
    assert_eq!(status, 422, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.starts_with("No suitable control tags"), "{detail}");
}

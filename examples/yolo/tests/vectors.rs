//! The recorded answers of the original, its unit cases, and its errors.

mod support;

use std::{collections::HashMap, sync::Arc};

use image::{ImageFormat, RgbImage};
use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{LabelConfig, Value, json, serde_json};
use support::{TinyModel, fixture, floats, to_url};
use yolo::{Candidate, Control, Kind, Network, rotated_value};

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn predict_vectors() -> Value {
    vectors(include_str!("vectors/yolo_predict.json"))
}

/// The size of the original's test image.
const SIZE: (u32, u32) = (768, 576);

/// An image of that size.
fn image_url() -> String {
    let mut bytes = std::io::Cursor::new(Vec::new());
    RgbImage::new(SIZE.0, SIZE.1)
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    to_url(bytes.get_ref())
}

fn recorded() -> TinyModel {
    TinyModel::new(&[
        ("yolov8m.onnx", "recorded-detect.onnx"),
        ("yolov8n-pose.onnx", "recorded-pose.onnx"),
        ("yolov8n-cls.onnx", "recorded-classify.onnx"),
    ])
}

/// Compares JSON, numbers up to a part of their size.
fn check(actual: &Value, expected: &Value, tolerance: f64, place: &str) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            let names = |object: &serde_json::Map<String, Value>| -> Vec<String> {
                let mut names: Vec<_> = object.keys().cloned().collect();
                names.sort();
                names
            };
            assert_eq!(names(actual), names(expected), "{place}");
            for (name, expected) in expected {
                check(
                    &actual[name],
                    expected,
                    tolerance,
                    &format!("{place}.{name}"),
                );
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{place}");
            for (idx, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                check(actual, expected, tolerance, &format!("{place}[{idx}]"));
            }
        }
        (Value::Number(actual), Value::Number(expected)) => {
            let (actual, expected) = (actual.as_f64().unwrap(), expected.as_f64().unwrap());
            let gap = (actual - expected).abs();
            assert!(
                gap <= tolerance * expected.abs().max(1e-9),
                "{place}: {actual}, not {expected}"
            );
        }
        _ => assert_eq!(actual, expected, "{place}"),
    }
}

#[test]
fn recorded_answers_come_out_again() {
    let model = recorded();
    for case in predict_vectors()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let fields = case["task"]["data"].as_object().unwrap().keys();
        let data: serde_json::Map<String, Value> = fields
            .map(|field| (field.clone(), image_url().into()))
            .collect();
        let results = model.results(case["label_config"].as_str().unwrap(), &[data.into()]);
        let mut expected = case["expected_results"].clone();
        for region in expected[0]["result"].as_array_mut().unwrap() {
            add_what_the_original_lacks(region);
        }
        // The recorded order is that of two images whose boxes were found apart.
        sort(&mut expected[0]);
        let mut actual = json!(results);
        sort(&mut actual[0]);
        check(&actual, &expected, 1e-4, name);
    }
}

/// Without the size of the image, Label Studio's converters export no drawn region.
fn add_what_the_original_lacks(region: &mut Value) {
    let kind = region["type"].as_str().unwrap().to_owned();
    if kind == "choices" || kind == "taxonomy" {
        return;
    }
    let (width, height) = SIZE;
    region["original_width"] = json!(width);
    region["original_height"] = json!(height);
    region["image_rotation"] = json!(0);
    if kind == "rectanglelabels" {
        region["value"]["rotation"] = json!(0);
    }
}

fn sort(prediction: &mut Value) {
    let result = prediction["result"].as_array_mut().unwrap();
    result.sort_by_key(|region| (region["from_name"].to_string(), region["score"].to_string()));
}

#[test]
fn errors_are_the_originals() {
    let model = recorded();
    for case in predict_vectors()["errors"].as_array().unwrap() {
        let config = case["label_config"].as_str().unwrap();
        let message = model.error(config, &[case["task"]["data"].clone()]);
        let expected = case["message_contains"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn setup_answers_with_the_version() {
    let model = recorded();
    let config = predict_vectors()["cases"][0]["label_config"].clone();
    let (status, body) = model
        .client
        .post("/setup", &json!({ "schema": config, "project": "42" }));
    assert_eq!(
        (status, &body["model_version"]),
        (200, &json!("yolo")),
        "{body}"
    );
}

#[test]
fn turned_boxes_become_rotated_rectangles() {
    let vectors = vectors(include_str!("vectors/yolo_obb.json"));
    for case in vectors["obb_to_value"].as_array().unwrap() {
        let corners: Vec<_> = case["corners"]
            .as_array()
            .unwrap()
            .iter()
            .map(floats)
            .collect();
        let corners = std::array::from_fn(|idx| [corners[idx][0], corners[idx][1]]);
        let side = |name: &str| u32::try_from(case[name].as_u64().unwrap()).unwrap();
        let value = rotated_value(corners, (side("width"), side("height")));
        check(&value, &case["value"], 1e-9, &case.to_string());
    }
}

#[test]
fn labels_take_the_classes_that_they_name() {
    for case in vectors(include_str!("vectors/yolo_units.json"))["label_map"]
        .as_array()
        .unwrap()
    {
        let labels: String = case["labels_value_predicted_values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| match label[1].as_str() {
                Some(predicted) => format!(
                    "<Label value={} predicted_values=\"{predicted}\"/>",
                    label[0]
                ),
                None => format!("<Label value={}/>", label[0]),
            })
            .collect::<Vec<_>>()
            .concat();
        let config = format!(
            "<View><Image name=\"i\" value=\"$i\"/><RectangleLabels name=\"r\" toName=\"i\">{labels}</RectangleLabels></View>"
        );
        let config = LabelConfig::parse(&config).unwrap();
        let names: Vec<String> = serde_json::from_value(case["model_names"].clone()).unwrap();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let map: HashMap<_, _> = config.label_map("r", &names).into_iter().collect();
        let mut expected = case["expected"].clone();
        // The original keys this one by a class that its model does not have, so it never matches.
        if let Some(label) = expected.as_object_mut().unwrap().remove("persian_cat") {
            expected["Persian_cat"] = label;
        }
        assert_eq!(json!(map), expected, "{case}");
    }
}

#[test]
fn labels_of_key_points_name_class_and_number() {
    let vectors = vectors(include_str!("vectors/yolo_units.json"));
    let case = &vectors["keypoint_point_map"];
    let attribute = |name: &str, value: &Value| match value.as_str() {
        Some(text) => format!("{name}=\"{text}\""),
        None => String::new(),
    };
    let labels = case["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| {
            format!(
                "<Label value={} {} {}/>",
                label[0],
                attribute("predicted_values", &label[1]),
                attribute("model_index", &label[2])
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let config = format!(
        "<View><Image name=\"i\" value=\"$i\"/><KeyPointLabels name=\"k\" toName=\"i\">{labels}</KeyPointLabels></View>"
    );
    let config = LabelConfig::parse(&config).unwrap();
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let network = Arc::new(Network::load(&runtime, &fixture("tiny-pose.onnx")).unwrap());
    let candidate = Candidate::all(&config).next().unwrap();
    let control = Control::new(&config, candidate, &network, 0.5)
        .unwrap()
        .unwrap();
    let points = control.points.iter();
    let points: HashMap<_, _> = points
        .map(|((class, number), label)| (format!("{class}::{number}"), label))
        .collect();
    assert_eq!(json!(points), case["expected"]);
}

#[test]
fn each_kind_of_control_has_the_originals_default_model() {
    for (kind, file) in [
        (Kind::Choices, "yolov8n-cls"),
        (Kind::Taxonomy, "yolov8n-cls"),
        (Kind::Rectangle, "yolov8m"),
        (Kind::RotatedRectangle, "yolov8n-obb"),
        (Kind::Polygon, "yolov8n-seg"),
        (Kind::Brush, "yolov8n-seg"),
        (Kind::KeyPoint, "yolov8n-pose"),
    ] {
        assert_eq!(kind.default_file(), format!("{file}.onnx"));
    }
}

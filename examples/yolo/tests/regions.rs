//! What every region carries, whatever network found it.

mod support;

use label_studio_ml::{LabelConfig, Value, json};
use support::{TinyModel, data_url, predict};

/// The fixture `wide.png` in pixels.
const SIZE: (u32, u32) = (120, 90);

/// A label config with one control tag for the classes of the tiny networks.
fn config(tag: &str, attributes: &str) -> String {
    let labels: String = ["person", "car", "traffic light"]
        .map(|name| {
            format!("<Label value=\"{name}\" predicted_values=\"{name}\" model_index=\"0\"/>")
        })
        .concat();
    let boxes = if tag == "KeyPointLabels" {
        format!(
            "<RectangleLabels name=\"label_bbox\" toName=\"image\" model_skip=\"true\">{labels}</RectangleLabels>"
        )
    } else {
        String::new()
    };
    format!(
        "<View><Image name=\"image\" value=\"$image\"/>\
         <{tag} name=\"label\" toName=\"image\" model_path=\"model.onnx\" model_score_threshold=\"0.01\" \
         {attributes}>{labels}</{tag}>{boxes}</View>"
    )
}

fn check(tag: &str, attributes: &str, network: &str) {
    let model = TinyModel::new(&[("model.onnx", network)]);
    let config = config(tag, attributes);
    let regions = predict(&model, &config, "wide");
    assert!(!regions.is_empty(), "{tag}: no region");
    for region in &regions {
        let size = (&region["original_width"], &region["original_height"]);
        assert_eq!(size, (&json!(SIZE.0), &json!(SIZE.1)), "{tag}: {region}");
        assert_eq!(region["image_rotation"], 0, "{tag}: {region}");
        if region["type"] == "rectanglelabels" {
            assert!(region["value"]["rotation"].is_number(), "{tag}: {region}");
        }
    }
    let prediction = json!({ "result": regions });
    let problems = LabelConfig::parse(&config)
        .unwrap()
        .validate_prediction(&prediction);
    // Rotated rectangles of a random network reach over the edge of the image.
    let is_inside = |problem: &&String| !problem.contains("out of bounds");
    let problems: Vec<_> = problems.iter().filter(is_inside).collect();
    assert!(problems.is_empty(), "{tag}: {problems:?}");
}

#[test]
fn rectangles_carry_the_size_of_their_image() {
    check("RectangleLabels", "", "tiny-detect.onnx");
}

#[test]
fn rotated_rectangles_carry_the_size_of_their_image() {
    check("RectangleLabels", "model_obb=\"true\"", "tiny-obb.onnx");
}

#[test]
fn polygons_carry_the_size_of_their_image() {
    check("PolygonLabels", "", "tiny-segment.onnx");
}

#[test]
fn brush_masks_carry_the_size_of_their_image() {
    check("BrushLabels", "", "tiny-segment.onnx");
}

#[test]
fn key_points_and_their_boxes_carry_the_size_of_their_image() {
    check("KeyPointLabels", "", "tiny-pose.onnx");
}

#[test]
fn labels_that_are_no_classes_are_answered_with_the_classes() {
    let model = TinyModel::new(&[("model.onnx", "tiny-detect.onnx")]);
    let config = config("RectangleLabels", "")
        .replace(
            "value=\"person\" predicted_values=\"person\"",
            "value=\"Zebra\"",
        )
        .replace("value=\"car\" predicted_values=\"car\"", "value=\"Gnu\"")
        .replace(
            "value=\"traffic light\" predicted_values=\"traffic light\"",
            "value=\"Emu\"",
        );
    let task: Value = json!({ "image": data_url("wide") });
    let error = model.error(&config, &[task]);
    assert!(
        error.contains("predicted_values")
            && error.ends_with("; the classes are person, car, traffic light, Persian_cat"),
        "{error}"
    );
}

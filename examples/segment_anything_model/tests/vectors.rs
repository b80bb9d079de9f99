//! The conformance vectors of prompts, of the resize, and of what the decoder is fed.

use label_studio_ml::{Value, serde_json};
use label_studio_vision::models::sam::{Click, LongestSide, Prompt, decoder_points, read_context};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/sam_prompts.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn numbers<const N: usize>(value: &Value) -> [f64; N] {
    let numbers: Vec<f64> = serde_json::from_value(value.clone()).unwrap();
    numbers.try_into().unwrap()
}

/// Width and height from a pair that has the height first.
fn size(value: &Value) -> (u32, u32) {
    let (height, width) = serde_json::from_value(value.clone()).unwrap();
    (width, height)
}

/// The newest object's prompt is the one that the reference reads. It takes a key point that does
/// not say `is_positive` as one beside the object, which its specification calls a defect: here it
/// lies on the object.
#[test]
fn prompts_are_read_from_the_context() {
    for case in list(&vectors()["prompt_parsing"]) {
        let expected = &case["expected"];
        let side = |key: &str| u32::try_from(expected[key].as_u64().unwrap()).unwrap();
        let image = (side("original_width"), side("original_height"));
        let objects = read_context(list(&case["context_result"]), "image", image).unwrap();
        let newest = objects.last().unwrap();
        assert_eq!(newest.label.as_deref(), expected["label"].as_str());
        let points: Vec<[f64; 2]> = newest
            .clicks
            .iter()
            .map(|click| [click.x, click.y])
            .collect();
        let expected_points: Vec<[f64; 2]> = list(&expected["point_coords"])
            .iter()
            .map(numbers)
            .collect();
        assert_eq!(points, expected_points);
        let rectangle = newest.rectangles.last().copied();
        assert_eq!(
            rectangle,
            (!expected["box"].is_null()).then(|| numbers(&expected["box"]))
        );
        for (region, click) in list(&case["context_result"]).iter().zip(&newest.clicks) {
            assert_eq!(
                click.is_positive,
                region["is_positive"].as_bool().unwrap_or(true)
            );
        }
    }
}

#[test]
fn images_are_scaled_to_the_longest_side() {
    for case in list(&vectors()["resize_longest_side_1024"]) {
        let frame = LongestSide::new(size(&case["orig_hw"]), 1024);
        assert_eq!(frame.resized, size(&case["resized_hw"]));
        let found = frame.point(numbers(&case["point_in"]));
        for (found, expected) in found.iter().zip(numbers::<2>(&case["point_out"])) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

#[test]
fn the_decoder_is_fed_points_corners_and_padding() {
    for case in list(&vectors()["onnx_decoder_inputs"]) {
        let points = list(&case["points"]).iter().map(numbers::<2>);
        let labels = list(&case["labels"]).iter().map(|label| label == 1);
        let clicks = points
            .zip(labels)
            .map(|([x, y], is_positive)| Click { x, y, is_positive });
        let prompt = Prompt {
            clicks: clicks.collect(),
            rectangle: (!case["box"].is_null()).then(|| numbers(&case["box"])),
        };
        let (coords, labels) =
            decoder_points(&LongestSide::new(size(&case["orig_hw"]), 1024), &prompt);
        let expected = &case["expected"];
        let expected_labels: Vec<f32> = serde_json::from_value(expected["labels"].clone()).unwrap();
        assert_eq!(labels, expected_labels);
        let expected_coords: Vec<[f64; 2]> =
            list(&expected["coords"]).iter().map(numbers).collect();
        assert_eq!(coords.len(), expected_coords.len());
        for (found, expected) in coords
            .iter()
            .flatten()
            .zip(expected_coords.iter().flatten())
        {
            assert!((found - expected).abs() < 1e-9, "{coords:?}");
        }
    }
}

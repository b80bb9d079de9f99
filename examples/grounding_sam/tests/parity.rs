//! The whole way, from a prompt to masks, gives what transformers and Meta's `segment_anything`
//! give with the same weights.

mod tiny;

use std::collections::HashSet;

use label_studio_ml::{Value, json, serde_json, testing::TestClient};
use label_studio_testing::images::Painted;
use label_studio_vision::masks::Mask;
use tiny::{LABEL_CONFIG, body, data_url, mask, model, predict, predictor, regions};

const MIN_OVERLAP: f64 = 0.99;
const MIN_TOLERANCE: f64 = 1e-3;

fn painted(size: &Value, runs: &Value) -> Mask {
    let painted = Painted::new(size, runs);
    Mask::from_fn(painted.width, painted.height, |x, y| painted.at(x, y))
}

#[test]
fn masks_of_a_prompt_are_those_of_the_python_libraries() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fixtures/cases.json")).unwrap();
    let numbers = ["box_threshold", "text_threshold"]
        .map(|name| format!("<Number name=\"{name}\" toName=\"image\"/>"))
        .concat();
    let label_config = format!("<View>{LABEL_CONFIG}{numbers}</View>");
    let client = TestClient::new(model(Some(predictor())));
    let mut images = HashSet::new();
    for case in &cases {
        let (image, prompt) = (case["image"].as_str().unwrap(), &case["prompt"]);
        let mut body = body(&label_config, &[data_url(image)], prompt.as_str().unwrap());
        let context = body["params"]["context"]["result"].as_array_mut().unwrap();
        for (name, key) in [
            ("box_threshold", "threshold"),
            ("text_threshold", "text_threshold"),
        ] {
            context.push(
                json!({ "from_name": name, "type": "number", "value": { "number": case[key] } }),
            );
        }
        let results = predict(&client, &body);
        let (found, expected) = (regions(&results[0]), case["regions"].as_array().unwrap());
        assert!(!expected.is_empty());
        assert_eq!(found.len(), expected.len(), "{image} {prompt}");
        for (region, expected) in found.iter().zip(expected) {
            let size = json!([region["original_width"], region["original_height"]]);
            assert_eq!(size, case["size"], "{image}");
            let expected_mask = painted(&size, &expected["runs"]);
            let overlap = mask(region).overlap(&expected_mask);
            assert!(overlap >= MIN_OVERLAP, "{image} {prompt}: {overlap}");
            // Random weights guess scores below 0, which regions do not have.
            let expected = expected["score"].as_f64().unwrap().clamp(0.0, 1.0);
            let difference = (region["score"].as_f64().unwrap() - expected).abs();
            let tolerance = MIN_TOLERANCE.max(case["change"].as_f64().unwrap());
            assert!(difference <= tolerance, "{image} {prompt}: {difference}");
        }
        images.insert(image);
    }
    assert_eq!(images.len(), 7, "{images:?}");
}

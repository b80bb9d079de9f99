//! The requests of the Python original's tests, on an image that has the same words at the same
//! places.

mod support;

use label_studio_ml::{Value, json, serde_json};
use support::{backend, results, url};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/tesseract.json")).unwrap()
}

#[test]
fn the_requests_of_the_original_have_its_answers() {
    let vectors = vectors();
    let client = backend(&[]);
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let is_turned = case["image"].as_str().unwrap().contains("exif");
        let image = if is_turned {
            "card_turned.jpg"
        } else {
            "card.png"
        };
        let body = json!({
            "tasks": [{ "id": 1, "data": { "image": url(image) } }],
            "label_config": vectors["label_config"],
            "project": "1.1",
            "params": { "context": { "result": case["context_result"] } },
        });
        let results = results(&client, &body);
        assert_eq!(results.len(), 1);
        let regions = results[0]["result"].as_array().unwrap();
        assert_eq!(Some(regions.len() as u64), case["result_len"].as_u64());
        let drawn = case["context_result"].as_array().unwrap().last().unwrap();
        let mut expected = vectors["expected_response_shape"][0].clone();
        expected["id"] = drawn["id"].clone();
        for field in ["x", "y", "width", "height"] {
            expected["value"][field] = drawn["value"][field].clone();
        }
        expected["value"]["text"] = json!([case["expected_text"]]);
        assert_eq!(regions[0], expected);
        assert_eq!(regions[1], *drawn, "unchanged");
        assert_eq!(
            regions[1]["value"]["rectanglelabels"][0],
            case["expected_label_second_region"]
        );
        assert_eq!(results[0]["model_version"], "BBOXOCR-v0.0.1");
        let score = results[0]["score"].as_f64().unwrap();
        assert!(score > 0.5 && score <= 1.0, "{score}");
    }
}

#[test]
fn without_a_drawn_region_there_are_no_predictions() {
    let vectors = vectors();
    let client = backend(&[]);
    let without = [
        (json!(null), &vectors["no_context_expected"]),
        (json!({}), &vectors["no_context_expected"]),
        (
            json!({ "result": [] }),
            &vectors["empty_context_result_expected"],
        ),
    ];
    for (context, expected) in without {
        let body = json!({
            "tasks": [{ "id": 1, "data": { "image": url("card.png") } }],
            "label_config": vectors["label_config"],
            "project": "1.1",
            "params": { "context": context },
        });
        assert_eq!(client.predict(&body)["results"], *expected, "{context}");
    }
}

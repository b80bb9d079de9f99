//! The weights of PP-OCRv4 that a package ships: fetched from the package index into the folder of
//! the build, and read with as RapidOCR reads.

mod support;

use label_studio_ml::{Value, serde_json};
use support::{fixture, load_with};

#[test]
fn released_weights_are_fetched_and_read_what_rapidocr_reads() {
    let model = load_with(&[
        "--ppocr-version",
        "v4",
        "--model-variant",
        "mobile",
        "--pipeline",
        "rapidocr",
        "--det-limit-type",
        "max",
        "--det-limit-side-len",
        "960",
        "--hf-home",
        env!("CARGO_TARGET_TMPDIR"),
    ])
    .unwrap();
    let image = image::open(fixture("released.png")).unwrap().into_rgb8();
    let found = model.reader.read(&image).unwrap();
    let expected: Vec<Value> =
        serde_json::from_slice(&std::fs::read(fixture("released.json")).unwrap()).unwrap();
    assert_eq!(found.len(), expected.len());
    for (line, expected) in found.iter().zip(&expected) {
        assert_eq!(line.text, expected["text"].as_str().unwrap());
        let score = expected["score"].as_f64().unwrap();
        assert!((line.score - score).abs() < 0.01, "{line:?} {score}");
        let quad: [[f32; 2]; 4] = serde_json::from_value(expected["quad"].clone()).unwrap();
        let corners = line.quad.0.as_flattened().iter().zip(quad.as_flattened());
        for (found, expected) in corners {
            assert!((found - expected).abs() <= 1.0, "{line:?} {quad:?}");
        }
    }
}

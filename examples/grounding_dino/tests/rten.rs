//! The engine in pure Rust finds what ONNX Runtime finds.
#![cfg(feature = "rten")]

mod support;

use label_studio_inference::onnx::{EngineKind, OnnxArgs, Runtime};
use label_studio_vision::{
    images::{Limits, open},
    models::grounding_dino::{Detector, DetectorOptions, Prompt, Thresholds},
};
use support::fixture;

#[test]
fn both_engines_find_the_same() {
    let images = ["wide.png", "line.png", "grey.png"];
    let images = images.map(|name| open(&fixture(name), &Limits::default()).unwrap());
    let images: Vec<_> = images.iter().collect();
    let prompt = Prompt::new("a red car. dog", &[]).unwrap();
    let thresholds = Thresholds {
        box_score: 0.5,
        token_score: 0.4,
    };
    for model in ["model.onnx", "img.onnx"] {
        let [ort, rten] = [EngineKind::Ort, EngineKind::Rten].map(|onnx_engine| {
            let args = OnnxArgs {
                onnx_engine,
                ..OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))
            };
            let runtime = Runtime::new(&args).unwrap();
            let options = DetectorOptions::default();
            let detector =
                Detector::load(&runtime, fixture(model), fixture("tokenizer.json"), options);
            detector
                .unwrap()
                .detect(&images, &prompt, thresholds)
                .unwrap()
        });
        assert!(ort.iter().all(|found| !found.is_empty()));
        for (ort, rten) in ort.iter().zip(&rten) {
            assert_eq!(ort.len(), rten.len(), "{model}");
            for (one, other) in ort.iter().zip(rten) {
                assert!(
                    (one.score - other.score).abs() < 1e-3,
                    "{model}: {one:?} {other:?}"
                );
                let mut sides = one.bounds.iter().zip(&other.bounds);
                assert!(
                    sides.all(|(a, b)| (a - b).abs() < 1e-3),
                    "{model}: {one:?} {other:?}"
                );
                assert_eq!((one.phrase, &one.words), (other.phrase, &other.words));
            }
        }
    }
}

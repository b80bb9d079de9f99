//! The same weights find the same things as in transformers.

mod support;

use label_studio_ml::{Value, serde_json};
use label_studio_vision::{
    images::{Limits, RgbImage, open},
    models::grounding_dino::{Detection, Detector, DetectorOptions, Phrases, Prompt, Thresholds},
};
use support::{detector, fixture};

fn cases() -> Vec<Value> {
    let json = std::fs::read(fixture("expected.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn image(name: &str) -> RgbImage {
    open(&fixture(name), &Limits::default()).unwrap()
}

fn all() -> DetectorOptions {
    DetectorOptions {
        max_overlap: 1.0,
        ..DetectorOptions::default()
    }
}

fn find(detector: &Detector, case: &Value) -> Vec<Detection> {
    let text = |key: &str| case[key].as_str().unwrap();
    let number = |key: &str| case[key].as_f64().unwrap();
    let thresholds = Thresholds {
        box_score: number("threshold"),
        token_score: number("text_threshold"),
    };
    let prompt = Prompt::new(text("prompt"), &[]).unwrap();
    let image = image(text("image"));
    detector
        .detect(&[&image], &prompt, thresholds)
        .unwrap()
        .remove(0)
}

/// The words of a text of transformers, which keeps full stops and special tokens.
fn words(text: &str) -> String {
    let text = text.replace("[SEP]", " ").replace(['.'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn boxes_scores_and_words_are_those_of_transformers() {
    let cases = cases();
    let images: std::collections::BTreeSet<_> = cases
        .iter()
        .map(|case| case["image"].as_str().unwrap())
        .collect();
    assert_eq!(images.len(), 8, "{images:?}");
    let detectors = ["model.onnx", "img.onnx"].map(|model| (model, detector(model, all())));
    for case in &cases {
        let (_, detector) = detectors
            .iter()
            .find(|(model, _)| case["model"] == *model)
            .unwrap();
        let name = format!("{} {} {}", case["image"], case["prompt"], case["model"]);
        let found = find(detector, case);
        let expected = case["found"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{name}");
        // Decoders of JPEG differ by a grey level; what that changes was measured with the library itself.
        let noise = |key: &str| case["change"][key].as_f64().unwrap() * 2.0;
        let is_jpeg = case["image"].as_str().unwrap().contains(".jpg");
        let (box_limit, score_limit) = if is_jpeg {
            (noise("box").max(0.1), noise("score").max(1e-3))
        } else {
            (0.1, 1e-3)
        };
        for (found, expected) in found.iter().zip(expected) {
            for (side, percent) in found.bounds.iter().zip(expected["box"].as_array().unwrap()) {
                let difference = (side * 100.0 - percent.as_f64().unwrap()).abs();
                assert!(
                    difference < box_limit,
                    "{name}: {found:?}, expected {expected}"
                );
            }
            let difference = (found.score - expected["score"].as_f64().unwrap()).abs();
            assert!(
                difference < score_limit,
                "{name}: {found:?}, expected {expected}"
            );
            assert_eq!(
                found.words,
                words(expected["text"].as_str().unwrap()),
                "{name}"
            );
        }
    }
}

#[test]
fn a_batch_finds_what_single_images_find() {
    let names = ["wide.png", "grey.png", "line.png", "deep.png", "alpha.png"];
    let images = names.map(image);
    let images: Vec<_> = images.iter().collect();
    let prompt = Prompt::new("a red car. dog", &[]).unwrap();
    let thresholds = Thresholds {
        box_score: 0.5,
        token_score: 0.4,
    };
    for model in ["model.onnx", "img.onnx"] {
        let options = DetectorOptions {
            batch_size: 3,
            ..all()
        };
        let detector = detector(model, options);
        let together = detector.detect(&images, &prompt, thresholds).unwrap();
        assert_eq!(together.len(), images.len());
        for (image, together) in images.iter().zip(together) {
            let alone = detector
                .detect(&[image], &prompt, thresholds)
                .unwrap()
                .remove(0);
            assert_eq!(alone.len(), together.len(), "{model}");
            for (one, other) in alone.iter().zip(&together) {
                assert!((one.score - other.score).abs() < 1e-4, "{one:?} {other:?}");
                assert_eq!((one.phrase, &one.words), (other.phrase, &other.words));
            }
        }
    }
}

#[test]
fn phrases_apart_find_what_each_finds_alone() {
    let image = image("wide.png");
    let thresholds = Thresholds {
        box_score: 0.4,
        token_score: 0.3,
    };
    let options = DetectorOptions {
        phrases: Phrases::Apart,
        ..all()
    };
    let (apart, together) = (
        detector("model.onnx", options),
        detector("model.onnx", all()),
    );
    let detect = |detector: &Detector, text: &str| {
        let prompt = Prompt::new(text, &[]).unwrap();
        let found = detector.detect(&[&image], &prompt, thresholds);
        found.unwrap().remove(0)
    };
    let apart = detect(&apart, "Brown cat. red car");
    let (cat, car) = (detect(&together, "brown cat"), detect(&together, "red car"));
    assert_eq!(apart.len(), cat.len() + car.len());
    assert!(!cat.is_empty() && !car.is_empty());
    for (idx, (one, other)) in apart.iter().zip(cat.iter().chain(&car)).enumerate() {
        let same = one
            .bounds
            .iter()
            .zip(&other.bounds)
            .all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(same, "{one:?} {other:?}");
        let phrase = usize::from(idx >= cat.len());
        assert_eq!(one.phrase, other.phrase.map(|_| phrase));
    }
    // In one run the phrases are told apart, too, and every phrase of the prompt may be found.
    let together = detect(&together, "Brown cat. red car");
    assert!(
        together
            .iter()
            .all(|found| found.phrase.is_some_and(|phrase| phrase < 2))
    );
}

#[test]
fn boxes_around_the_same_thing_are_merged() {
    let image = image("wide.png");
    let prompt = Prompt::new("cat", &[]).unwrap();
    let thresholds = Thresholds {
        box_score: 0.0,
        token_score: 0.0,
    };
    let n_found = |max_overlap| {
        let options = DetectorOptions {
            max_overlap,
            ..DetectorOptions::default()
        };
        let found = detector("model.onnx", options).detect(&[&image], &prompt, thresholds);
        found.unwrap().remove(0).len()
    };
    assert_eq!(n_found(1.0), 6, "all queries");
    let n_kept = n_found(0.05);
    assert!((1..6).contains(&n_kept), "{n_kept}");
}

#[test]
fn a_model_without_fixed_size_gets_the_size_that_it_was_trained_with() {
    let detector = detector("sizes.onnx", all());
    for ((width, height), expected) in [
        ((64, 48), (1066, 800)),
        ((48, 64), (800, 1066)),
        ((300, 60), (1335, 267)),
    ] {
        let image = RgbImage::new(width, height);
        let prompt = Prompt::new("cat", &[]).unwrap();
        let images = [&image, &image];
        let found = detector
            .detect(&images, &prompt, Thresholds::default())
            .unwrap();
        assert_eq!(found.len(), 2);
        let [x1, y1, x2, y2] = found[1][0].bounds;
        let pixels = [
            f64::midpoint(x1, x2) * 4000.0,
            f64::midpoint(y1, y2) * 4000.0,
        ];
        let expected = [f64::from(expected.0), f64::from(expected.1)];
        for (pixel, expected) in pixels.iter().zip(expected) {
            assert!((pixel - expected).abs() < 0.01, "{pixels:?}");
        }
    }
}

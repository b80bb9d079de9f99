//! The same weights find the same things as in transformers.

mod support;

use image::imageops;
use label_studio_ml::{Value, serde_json};
use label_studio_vision::{
    images::{Limits, RgbImage, open},
    models::grounding_dino::{
        Detection, Detector, DetectorOptions, ImageScale, Phrases, Prompt, Thresholds,
    },
};
use support::{detector, fixture, runtime};

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
        // Decoders of JPEG differ by a grey level; what that changes was measured with the library
        // itself.
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
    let detector = detector("any_size/sizes.onnx", all());
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

#[test]
fn an_image_is_scaled_as_transformers_scales_it() {
    let edges = |edge| ImageScale::Edges {
        shortest_edge: edge,
        longest_edge: edge,
    };
    let within = ImageScale::Within {
        max_height: 384,
        max_width: 384,
    };
    let exactly = ImageScale::Exactly {
        height: 200,
        width: 300,
    };
    let trained = ImageScale::Edges {
        shortest_edge: 800,
        longest_edge: 1333,
    };
    assert_eq!(edges(384).scaled((5000, 1)).1, 1, "no side is 0");
    // What transformers 4.57 gives for each.
    for (scale, image, expected) in [
        (edges(384), (257, 190), (384, 284)),
        (edges(384), (190, 257), (284, 384)),
        (edges(384), (100, 100), (384, 384)),
        (within, (257, 190), (384, 283)),
        (exactly, (257, 190), (300, 200)),
        (trained, (64, 48), (1066, 800)),
        (trained, (300, 60), (1333, 267)),
    ] {
        assert_eq!(scale.scaled(image), expected, "{scale:?} {image:?}");
    }
}

/// Finds things with the fixed-size model in a folder that holds the given configuration, or none.
fn found_with(config: Option<&str>) -> Vec<Detection> {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.onnx", "tokenizer.json"] {
        std::fs::copy(fixture(name), folder.path().join(name)).unwrap();
    }
    if let Some(config) = config {
        std::fs::write(folder.path().join("preprocessor_config.json"), config).unwrap();
    }
    let [weights, tokenizer] =
        ["model.onnx", "tokenizer.json"].map(|name| folder.path().join(name));
    let detector = Detector::load(&runtime(), weights, tokenizer, all()).unwrap();
    // 101 x 32 fills 128 x 40.55 of the 128 x 96 pixels of the input.
    let wide = image("wide.png");
    let image = imageops::resize(&wide, 101, 32, imageops::Triangle);
    let prompt = Prompt::new("cat", &[]).unwrap();
    let thresholds = Thresholds {
        box_score: 0.0,
        token_score: 0.0,
    };
    detector
        .detect(&[&image], &prompt, thresholds)
        .unwrap()
        .remove(0)
}

#[test]
fn the_configuration_beside_a_model_says_how_images_are_scaled() {
    let edges = r#"{ "size": { "shortest_edge": 96, "longest_edge": 128 } }"#;
    let small = r#"{ "size": { "shortest_edge": 20, "longest_edge": 64 } }"#;
    let too_large = r#"{ "size": { "shortest_edge": 800, "longest_edge": 1333 } }"#;
    let filled = found_with(None);
    assert_eq!(found_with(Some(edges)), filled);
    assert_eq!(
        found_with(Some(too_large)),
        filled,
        "what does not fit fills the input"
    );
    assert_ne!(found_with(Some(small)), filled);
    let within = r#"{ "size": { "max_height": 96, "max_width": 128 } }"#;
    assert_ne!(found_with(Some(within)), filled, "it rounds down");
}

#[test]
fn the_configuration_beside_a_model_says_how_values_are_normalised() {
    let usual = found_with(None);
    let imagenet = r#"{ "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225] }"#;
    assert_eq!(found_with(Some(imagenet)), usual);
    let other = r#"{ "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5] }"#;
    assert_ne!(found_with(Some(other)), usual);
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("model.onnx");
    std::fs::copy(fixture("model.onnx"), &weights).unwrap();
    let config = folder.path().join("preprocessor_config.json");
    std::fs::write(&config, r#"{ "size": { "side": 3 } }"#).unwrap();
    let loaded = Detector::load(&runtime(), &weights, fixture("tokenizer.json"), all());
    let error = loaded.err().unwrap().to_string();
    assert!(
        error.contains("preprocessor_config.json") && error.contains("shortest_edge"),
        "{error}"
    );
}

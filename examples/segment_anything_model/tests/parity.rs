//! The same weights give the same masks as Meta's `segment_anything`, on pictures of every kind.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::{
    masks::Mask,
    onnx::{OnnxArgs, Runtime},
    sam::{Click, MaskChoice, Predictor, Prompt, Sam},
};
use label_studio_ml::{Value, serde_json};

const MIN_OVERLAP: f64 = 0.99;

struct Case {
    image: String,
    prompt: Prompt,
    choice: String,
    mask: Mask,
    score: f64,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(fixture("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    cases.iter().map(case).collect()
}

fn case(case: &Value) -> Case {
    let clicks: Vec<(f64, f64, bool)> = case.get("clicks").map_or_else(Vec::new, |clicks| {
        serde_json::from_value(clicks.clone()).unwrap()
    });
    let rectangle = case
        .get("rectangle")
        .map(|edges| serde_json::from_value(edges.clone()).unwrap());
    let (width, height): (usize, usize) = serde_json::from_value(case["size"].clone()).unwrap();
    // Lengths of the runs, the first not painted.
    let runs: Vec<usize> = serde_json::from_value(case["runs"].clone()).unwrap();
    let runs = runs.into_iter().zip([false, true].into_iter().cycle());
    let mut pixels: Vec<bool> = runs
        .flat_map(|(length, is_painted)| std::iter::repeat_n(is_painted, length))
        .collect();
    pixels.resize(width * height, false);
    Case {
        image: case["image"].as_str().unwrap().to_owned(),
        prompt: Prompt {
            clicks: clicks
                .into_iter()
                .map(|(x, y, is_positive)| Click { x, y, is_positive })
                .collect(),
            rectangle,
        },
        choice: case["choice"].as_str().unwrap().to_owned(),
        mask: Mask::from_fn(width, height, |x, y| pixels[y * width + x]),
        score: case["score"].as_f64().unwrap(),
    }
}

fn check(encoder: &str, decoder: &str, choices: &[(&str, MaskChoice)]) {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut found_images = HashMap::new();
    for (name, choice) in choices {
        let sam = Sam::load(&runtime, fixture(encoder), fixture(decoder), *choice);
        let predictor = Predictor::new(sam.unwrap(), 1 << 26);
        for case in cases().iter().filter(|case| case.choice == *name) {
            let path = fixture("images").join(&case.image);
            let embedding = predictor.embed_file(path).unwrap();
            let found = predictor.segment(&embedding, &case.prompt).unwrap();
            let overlap = found.mask.overlap(&case.mask);
            let about = format!(
                "{encoder} {decoder} {name} {} {:?}",
                case.image, case.prompt
            );
            assert_eq!(
                (found.mask.width(), found.mask.height()),
                (case.mask.width(), case.mask.height()),
                "{about}"
            );
            assert!(overlap >= MIN_OVERLAP, "overlap {overlap}: {about}");
            assert!(
                (found.score - case.score).abs() < 1e-3,
                "score {} for {}: {about}",
                found.score,
                case.score
            );
            *found_images.entry(case.image.clone()).or_insert(0) += 1;
        }
    }
    assert_eq!(found_images.len(), 8, "{found_images:?}");
}

#[test]
fn a_decoder_with_all_masks_gives_those_of_the_library() {
    let choices = [
        ("auto", MaskChoice::Auto),
        ("single", MaskChoice::Single),
        ("best", MaskChoice::Best),
    ];
    check("tiny.encoder.onnx", "tiny.decoder.onnx", &choices);
}

#[test]
fn a_decoder_that_chooses_itself_gives_those_of_the_library() {
    check(
        "tiny.encoder.onnx",
        "tiny_single.decoder.onnx",
        &[("auto", MaskChoice::Auto)],
    );
}

#[test]
fn an_encoder_of_plain_pixels_gives_those_of_the_library() {
    check(
        "tiny_raw.encoder.onnx",
        "tiny.decoder.onnx",
        &[("auto", MaskChoice::Auto)],
    );
}

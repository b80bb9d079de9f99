//! The same weights give the same masks as Meta's `segment_anything`, on images of every kind.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{Value, serde_json};
use label_studio_testing::images::{self, Painted};
use label_studio_vision::{
    masks::Mask,
    models::sam::{Click, MaskChoice, Predictor, Prompt, Sam},
};

const MIN_OVERLAP: f64 = 0.99;

struct Case {
    image: String,
    prompt: Prompt,
    choice: String,
    mask: Mask,
    score: f64,
}

fn prompt(case: &Value) -> Prompt {
    let click = |(x, y, is_positive)| Click { x, y, is_positive };
    Prompt {
        clicks: images::clicks(case).into_iter().map(click).collect(),
        rectangle: images::rectangle(case),
    }
}

fn mask(case: &Value) -> Mask {
    let painted = Painted::new(&case["size"], &case["runs"]);
    Mask::from_fn(painted.width, painted.height, |x, y| painted.at(x, y))
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
    Case {
        image: case["image"].as_str().unwrap().to_owned(),
        prompt: prompt(case),
        choice: case["choice"].as_str().unwrap().to_owned(),
        mask: mask(case),
        score: case["score"].as_f64().unwrap(),
    }
}

fn check(encoder: &str, decoder: &str, choices: &[(&str, MaskChoice)]) {
    assert_eq!(check_cases(encoder, decoder, choices, |_| true), 8);
}

/// Returns the number of images in the cases.
fn check_cases(
    encoder: &str,
    decoder: &str,
    choices: &[(&str, MaskChoice)],
    is_meant: fn(&Case) -> bool,
) -> usize {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut found_images = HashSet::new();
    for (name, choice) in choices {
        let sam = Sam::load(&runtime, fixture(encoder), fixture(decoder), *choice);
        let predictor = Predictor::new(sam.unwrap(), 1 << 26);
        let is_chosen = |case: &&Case| case.choice == *name && is_meant(case);
        for case in cases().iter().filter(is_chosen) {
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
            found_images.insert(case.image.clone());
        }
    }
    found_images.len()
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

#[test]
fn files_of_the_transformers_library_give_those_of_the_library_for_a_click() {
    let is_one_click =
        |case: &Case| case.prompt.rectangle.is_none() && case.prompt.clicks.len() == 1;
    let choices = [("auto", MaskChoice::Auto)];
    check_cases(
        "vision_encoder.onnx",
        "prompt_encoder_mask_decoder.onnx",
        &choices,
        is_one_click,
    );
}

#[test]
fn a_decoder_that_takes_clicks_only_says_so_of_a_rectangle() {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let files = ["vision_encoder.onnx", "prompt_encoder_mask_decoder.onnx"].map(fixture);
    let sam = Sam::load(&runtime, &files[0], &files[1], MaskChoice::Auto).unwrap();
    let predictor = Predictor::new(sam, 0);
    let embedding = predictor.embed_file(fixture("images/wide.png")).unwrap();
    let refused = predictor.segment(&embedding, &Prompt::rectangle([1.0, 1.0, 50.0, 50.0]));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("clicks only"), "{message}");

    let other = Sam::load(
        &runtime,
        fixture("tiny.encoder.onnx"),
        &files[1],
        MaskChoice::Auto,
    );
    let message = other.err().unwrap().to_string();
    assert!(message.contains("image_positional_embeddings"), "{message}");
}

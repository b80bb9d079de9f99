//! The same weights give the same masks as Meta's `sam2`, in either export, on images of every
//! kind.

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
    models::sam::{Click, MaskChoice, Predictor, Prompt, Sam2},
};

const MIN_OVERLAP: f64 = 0.99;

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

fn cases() -> Vec<Value> {
    let text = fs::read_to_string(fixture("cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn check(encoder: &str, decoder: &str) {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sam = Sam2::load(
        &runtime,
        fixture(encoder),
        fixture(decoder),
        MaskChoice::Auto,
    )
    .unwrap();
    let predictor = Predictor::new(sam, 1 << 26);
    let mut images = HashSet::new();
    for case in cases() {
        let name = case["image"].as_str().unwrap();
        let embedding = predictor.embed_file(fixture("images").join(name)).unwrap();
        let found = predictor.segment(&embedding, &prompt(&case)).unwrap();
        let expected = mask(&case);
        let about = format!("{name} {:?}", prompt(&case));
        assert_eq!(
            (found.mask.width(), found.mask.height()),
            (expected.width(), expected.height()),
            "{about}"
        );
        let overlap = found.mask.overlap(&expected);
        assert!(overlap >= MIN_OVERLAP, "overlap {overlap}: {about}");
        let score = case["score"].as_f64().unwrap();
        assert!(
            (found.score - score).abs() < 1e-3,
            "score {} for {score}: {about}",
            found.score
        );
        images.insert(name.to_owned());
    }
    assert_eq!(images.len(), 8, "{images:?}");
    assert_eq!(predictor.n_encoded(), 8);
}

#[test]
fn files_of_export_py_and_samexporter_give_the_masks_of_the_library() {
    check("tiny.encoder.onnx", "tiny.decoder.onnx");
}

#[test]
fn files_of_the_transformers_library_give_the_masks_of_the_library() {
    check("vision_encoder.onnx", "prompt_encoder_mask_decoder.onnx");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let refusal = |encoder: &str, decoder: &str| {
        let (encoder, decoder) = (fixture(encoder), fixture(decoder));
        let loaded = Sam2::load(&runtime, encoder, decoder, MaskChoice::Auto);
        loaded.err().unwrap().to_string()
    };
    let mixed = refusal("tiny.encoder.onnx", "prompt_encoder_mask_decoder.onnx");
    assert!(mixed.contains("has no input high_res_feats_0"), "{mixed}");
    let swapped = refusal("tiny.decoder.onnx", "tiny.encoder.onnx");
    assert!(
        swapped.contains("is not a SAM 2 image encoder"),
        "{swapped}"
    );
    let twice = refusal("tiny.encoder.onnx", "tiny.encoder.onnx");
    assert!(twice.contains("is not a SAM 2 mask decoder"), "{twice}");

    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.onnx");
    let whole = fs::read(fixture("tiny.decoder.onnx")).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let cut = refusal("tiny.encoder.onnx", cut.to_str().unwrap());
    assert!(
        cut.contains("cut.onnx") && cut.contains("truncated"),
        "{cut}"
    );
}

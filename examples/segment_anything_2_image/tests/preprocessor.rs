//! The encoder gets pixel values as `preprocessor_config.json` beside it says.

use std::{fs, path::Path};

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_vision::{
    images::{Rgb, RgbImage},
    models::sam::{MaskChoice, PromptedModel, Sam2},
};

/// Returns the embedding of an image, with this configuration beside the encoder.
fn embedding(config: Option<&str>) -> Vec<f32> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folder = tempfile::tempdir().unwrap();
    let [encoder, decoder] = ["tiny.encoder.onnx", "tiny.decoder.onnx"].map(|name| {
        let path = folder.path().join(name);
        fs::copy(fixtures.join(name), &path).unwrap();
        path
    });
    if let Some(config) = config {
        fs::write(folder.path().join("preprocessor_config.json"), config).unwrap();
    }
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sam = Sam2::load(&runtime, encoder, decoder, MaskChoice::Auto).unwrap();
    let image = RgbImage::from_fn(60, 40, |x, y| {
        let [x, y] = [x, y].map(|at| u8::try_from(at).unwrap());
        Rgb([x, y, 90])
    });
    let embedding = sam.encode(&image).unwrap();
    embedding.tensors.iter().flatten().copied().collect()
}

/// Returns the largest difference of two embeddings.
fn difference(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    let differences = one
        .iter()
        .zip(other)
        .map(|(one, other)| (one - other).abs());
    differences.fold(0.0, f32::max)
}

#[test]
fn mean_and_deviation_beside_the_encoder_count() {
    let usual = embedding(None);
    let imagenet = r#"{ "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225] }"#;
    assert!(difference(&embedding(Some(imagenet)), &usual) < 1e-3);
    let other = r#"{ "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5] }"#;
    assert!(difference(&embedding(Some(other)), &usual) > 0.01);
}

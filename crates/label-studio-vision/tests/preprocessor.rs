//! What `preprocessor_config.json` says of pixel values.

use std::fs;

use label_studio_vision::images::{Normalise, PreprocessorConfig, Rgb, RgbImage};

/// Returns the three values that transformers feeds for a pixel.
fn pixel(config: &str, usual: Normalise) -> Result<[f32; 3], String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("preprocessor_config.json"), config).unwrap();
    let model = folder.path().join("onnx/model.onnx");
    let normalise = PreprocessorConfig::normalise_beside(&model, usual);
    let normalise = normalise.map_err(|error| error.to_string())?;
    let image = RgbImage::from_pixel(1, 1, Rgb([51, 102, 204]));
    let tensor = normalise.nchw(&image);
    Ok([0, 1, 2].map(|channel| tensor[[0, channel, 0, 0]]))
}

#[test]
fn values_are_scaled_and_normalised_as_the_file_says() {
    let mean = r#""image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.25, 0.1]"#;
    let imagenet = [-1.244_541, -0.250_000, 1.751_111];
    for (config, usual, expected) in [
        ("{}".to_owned(), Normalise::IMAGENET, imagenet),
        ("{}".to_owned(), Normalise::UNIT, [0.2, 0.4, 0.8]),
        (
            format!("{{ {mean} }}"),
            Normalise::IMAGENET,
            [0.2, 0.8, 5.0],
        ),
        (
            format!("{{ {mean} }}"),
            Normalise::IMAGENET_BYTES,
            [0.2, 0.8, 5.0],
        ),
        (format!("{{ {mean} }}"), Normalise::UNIT, [0.2, 0.4, 0.8]),
        (
            format!(r#"{{ "do_normalize": true, {mean} }}"#),
            Normalise::UNIT,
            [0.2, 0.8, 5.0],
        ),
        (
            format!(r#"{{ "do_normalize": false, {mean} }}"#),
            Normalise::IMAGENET,
            [0.2, 0.4, 0.8],
        ),
        (
            r#"{ "image_mean": 0.5, "image_std": 0.5 }"#.to_owned(),
            Normalise::IMAGENET,
            [-0.6, -0.2, 0.6],
        ),
        (
            r#"{ "do_rescale": false, "do_normalize": false }"#.to_owned(),
            Normalise::IMAGENET,
            [51.0, 102.0, 204.0],
        ),
        (
            r#"{ "rescale_factor": 0.00784313725490196, "do_normalize": false }"#.to_owned(),
            Normalise::IMAGENET,
            [0.4, 0.8, 1.6],
        ),
        (
            r#"{ "do_normalize": true, "image_mean": null }"#.to_owned(),
            Normalise::IMAGENET_BYTES,
            imagenet,
        ),
    ] {
        let found = pixel(&config, usual).unwrap();
        let is_close = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-4;
        assert!(
            found.iter().zip(&expected).all(is_close),
            "{config}: {found:?}"
        );
    }
}

#[test]
fn values_that_cannot_be_used_are_named() {
    for (config, expected) in [
        ("[]", "cannot read"),
        (
            r#"{ "image_mean": [0.5] }"#,
            "image_mean = [0.5], where a number for each of three channels",
        ),
        (r#"{ "image_std": [1, 0, 1] }"#, "image_std = [1,0,1]"),
        (r#"{ "image_std": "1" }"#, "image_std"),
        (
            r#"{ "rescale_factor": 0 }"#,
            "rescale_factor = 0, where a number above 0",
        ),
        (r#"{ "do_normalize": "yes" }"#, "do_normalize"),
    ] {
        let error = pixel(config, Normalise::IMAGENET).unwrap_err();
        assert!(
            error.contains("preprocessor_config.json") && error.contains(expected),
            "{error}"
        );
    }
}

//! RT-DETR gets pixel values as `preprocessor_config.json` beside it says.

mod support;

use std::fs;

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_vision::images::Normalise;
use mmdetection_3::Detector;
use support::fixture;

fn normalise(network: &str, files: &[(&str, &str)]) -> Normalise {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    fs::copy(fixture(network), &path).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    Detector::load(&runtime, &path, None)
        .unwrap()
        .settings()
        .normalise
}

#[test]
fn mean_and_deviation_beside_the_network_count() {
    let half =
        r#"{ "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5] }"#;
    let halves = Normalise {
        mean: [0.5; 3],
        std: [0.5; 3],
        ..Normalise::UNIT
    };
    let config = ("preprocessor_config.json", half);
    assert_eq!(normalise("rtdetr.onnx", &[]), Normalise::UNIT);
    assert_eq!(normalise("rtdetr.onnx", &[config]), halves);
    let settings = ("model.toml", "mean = [0.25, 0.25, 0.25]");
    let both = Normalise {
        mean: [0.25; 3],
        ..halves
    };
    assert_eq!(
        normalise("rtdetr.onnx", &[config, settings]),
        both,
        "the settings win"
    );
    let rtmdet = normalise("rtmdet-raw.onnx", &[]);
    assert_eq!(
        normalise("rtmdet-raw.onnx", &[config]),
        rtmdet,
        "a file of another library"
    );
}

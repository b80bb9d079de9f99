//! Folders with models: which files are taken, and what is said of those that do not fit.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use nemo_asr::{ModelConfig, Networks, SpeechModel};
use support::{clip, fixture, load, recogniser};
use tempfile::TempDir;

const LIST: &str =
    "<unk> 0\n▁the 1\n▁a 2\ns 3\n▁ 4\ning 5\n▁w 6\ne 7\nn 8\n▁go 9\nt 10\n. 11\n<blk> 12\n";

/// A folder with some files of a model under other names.
fn folder(model: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in files {
        fs::copy(fixture(model).join(from), folder.path().join(to)).unwrap();
    }
    folder
}

fn add(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

#[track_caller]
fn refused(folder: &Path, expected: &str) {
    let error = match recogniser(folder) {
        Ok(_) => panic!("{} is taken", folder.display()),
        Err(error) => format!("{error:#}"),
    };
    assert!(error.contains(expected), "{error}");
}

#[test]
fn the_layout_of_onnx_asr_hears_what_that_of_nemo_does() {
    for (model, kind, stride) in [
        ("conformer_ctc", "nemo-conformer-ctc", 4),
        ("rnnt", "nemo-conformer-rnnt", 8),
        ("tdt", "nemo-conformer-tdt", 8),
    ] {
        let names = [
            "model.onnx",
            "encoder-model.onnx",
            "decoder_joint-model.onnx",
        ];
        let names = names
            .iter()
            .filter(|name| fixture(model).join(name).exists());
        let files: Vec<_> = names.map(|&name| (name, name)).collect();
        let folder = folder(model, &files);
        let config = format!(
            r#"{{"model_type": "{kind}", "features_size": 80, "subsampling_factor": {stride}}}"#
        );
        add(&folder, "config.json", &config);
        add(&folder, "vocab.txt", LIST);
        let [found, expected] = [folder.path(), &fixture(model)]
            .map(|folder| recogniser(folder).unwrap().hear(&clip("long")).unwrap());
        assert_eq!(found, expected, "{model}");
    }
}

#[test]
fn exports_under_other_names_are_found() {
    let files = [
        ("encoder-model.onnx", "encoder-parakeet.onnx"),
        ("decoder_joint-model.onnx", "decoder_joint-parakeet.onnx"),
        ("model_config.yaml", "0f3a_model_config.yaml"),
    ];
    let named = folder("tdt", &files);
    fs::copy(
        fixture("tdt/encoder-model.onnx"),
        named.path().join("encoder-parakeet.int8.onnx"),
    )
    .unwrap();
    let model = SpeechModel::read(named.path(), "").unwrap();
    let expected = Networks::Transducer {
        encoder: named.path().join("encoder-parakeet.onnx"),
        decoder: named.path().join("decoder_joint-parakeet.onnx"),
    };
    assert_eq!(model.networks, expected);
    let files = [
        ("model.onnx", "model.int8.onnx"),
        ("model_config.yaml", "model_config.yaml"),
    ];
    let quantized = folder("quartznet", &files);
    assert!(SpeechModel::read(quantized.path(), "").is_err());
    let model = SpeechModel::read(quantized.path(), "int8").unwrap();
    assert_eq!(
        model.networks,
        Networks::Ctc(quantized.path().join("model.int8.onnx"))
    );
}

#[test]
fn the_front_end_is_read_from_the_config() {
    let config = ModelConfig::of_nemo(
        "sample_rate: 8000\nfeatures: 40\npreprocessor:\n  sample_rate: ${model.sample_rate}\n  features: ${features}\n  \
         window_size: 0.032\n  window_stride: 0.01\n  n_fft: null\n  preemph: null\n  normalize: NA\n  window: hamming\n  \
         log_zero_guard_value: 1.0e-05\nlabels:\n- a\n- ' '\n- 'no'\nencoder:\n  jasper:\n  - {repeat: 1, stride: [2]}\n  \
         - {repeat: 5, stride: [2], stride_last: true}\n",
    )
    .unwrap();
    let front_end = &config.front_end;
    assert_eq!((front_end.sample_rate, front_end.n_mels), (8000, 40));
    assert_eq!(
        (front_end.window, front_end.hop, front_end.n_fft),
        (256, 80, 256)
    );
    assert_eq!(front_end.pre_emphasis, None);
    assert!((front_end.log_guard - 1e-5).abs() < 1e-12);
    assert_eq!(config.stride, Some(4));
    let vocabulary = config.vocabulary.unwrap();
    assert_eq!((vocabulary.len(), vocabulary.text(2)), (3, "no"));
}

#[test]
fn configs_that_cannot_be_followed_are_refused() {
    let preprocessor = "preprocessor: {features: 80}\n";
    for (text, expected) in [
        ("", "empty"),
        ("a: [", "no YAML"),
        ("labels: [a]", "no part `preprocessor`"),
        ("preprocessor: {features: many}", "features is \"many\""),
        (
            "preprocessor: {features: 80, frame_splicing: 3}",
            "frame_splicing = 3",
        ),
        ("preprocessor: {features: 80, window: flat}", "window flat"),
        (
            "preprocessor: {features: 80, normalize: fixed}",
            "normalize = fixed",
        ),
        (
            "preprocessor: {features: '${a}'}\na: ${preprocessor.features}",
            "",
        ),
        (
            &format!("{preprocessor}target: nemo.EncDecMultiTaskModel"),
            "MultiTask",
        ),
        (
            &format!("{preprocessor}decoding: {{durations: [x]}}"),
            "durations",
        ),
    ] {
        match ModelConfig::of_nemo(text) {
            Ok(config) => assert!(expected.is_empty(), "{text} is read: {config:?}"),
            Err(error) => assert!(format!("{error:#}").contains(expected), "{text}: {error:#}"),
        }
    }
}

#[test]
fn folders_that_are_not_whole_are_refused_with_a_fix() {
    let config = ("model_config.yaml", "model_config.yaml");
    refused(folder("tdt", &[config]).path(), "has no model");
    refused(
        folder(
            "tdt",
            &[config, ("encoder-model.onnx", "encoder-model.onnx")],
        )
        .path(),
        "no decoder_joint-model.onnx",
    );
    let model = ("model.onnx", "model.onnx");
    refused(folder("quartznet", &[model]).path(), "convert.py");
    refused(
        folder("quartznet", &[model, config, ("model.onnx", "other.onnx")]).path(),
        "several models",
    );
    let no_list = folder("quartznet", &[model]);
    add(&no_list, "config.json", r#"{"features_size": 64}"#);
    refused(no_list.path(), "vocab.txt is missing");
    let canary = folder("quartznet", &[model]);
    add(
        &canary,
        "config.json",
        r#"{"model_type": "nemo-conformer-aed"}"#,
    );
    refused(canary.path(), "nemo-conformer-aed");
}

#[test]
fn models_that_do_not_fit_their_config_are_refused() {
    let other = folder("quartznet", &[("model.onnx", "model.onnx")]);
    fs::copy(
        fixture("conformer_ctc/model_config.yaml"),
        other.path().join("model_config.yaml"),
    )
    .unwrap();
    refused(other.path(), "takes 64 mel filters, and its config says 80");
    let tokens = folder("conformer_ctc", &[("model.onnx", "model.onnx")]);
    add(
        &tokens,
        "config.json",
        r#"{"model_type": "nemo-conformer-ctc"}"#,
    );
    add(&tokens, "vocab.txt", "a 0\nb 1\n<blk> 2\n");
    refused(tokens.path(), "the vocabulary with its blank has 3");
    let swapped = folder(
        "rnnt",
        &[
            ("model_config.yaml", "model_config.yaml"),
            ("decoder_joint-model.onnx", "encoder-model.onnx"),
            ("encoder-model.onnx", "decoder_joint-model.onnx"),
        ],
    );
    refused(swapped.path(), "not an export of a NeMo model");
    let durations = folder(
        "rnnt",
        &[
            ("encoder-model.onnx", "encoder-model.onnx"),
            ("decoder_joint-model.onnx", "decoder_joint-model.onnx"),
        ],
    );
    fs::copy(
        fixture("tdt/model_config.yaml"),
        durations.path().join("model_config.yaml"),
    )
    .unwrap();
    refused(durations.path(), "durations");
    let text = folder("quartznet", &[("model_config.yaml", "model_config.yaml")]);
    add(&text, "model.onnx", "<html>");
    refused(text.path(), "model.onnx");
}

#[test]
fn names_that_lead_nowhere_are_refused_with_a_fix() {
    let error = |name: &str| match load(&["--model-name", name]) {
        Ok(_) => panic!("{name} is taken"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error("QuartzNet15x5Base-En").contains("convert.py"));
    let folder = tempfile::tempdir().unwrap();
    let nemo = add(&folder, "a.nemo", "");
    assert!(error(nemo.to_str().unwrap()).contains("convert.py"));
    let other = add(&folder, "a.txt", "");
    assert!(error(other.to_str().unwrap()).contains("neither a folder nor an ONNX file"));
    let file = fixture("tdt/encoder-model.onnx");
    assert!(load(&["--model-name", file.to_str().unwrap()]).is_ok());
}

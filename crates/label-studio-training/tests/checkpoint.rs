//! Files of models: whole, partial, damaged, and written here.

use std::{fs, path::Path};

use label_studio_training::{
    Checkpoint, CheckpointError, Network, NetworkError, Task, Tokens, Workspace,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const TASK: Task = Task::SequenceClassification;

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A copy of a fixture that a test may damage.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture("bert-sequence")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn load(folder: &Path) -> Result<Network, CheckpointError> {
    Network::load(&Checkpoint::in_folder(folder)?, TASK)
}

fn logits(network: &Network) -> Vec<f32> {
    let text = Tokens {
        ids: &[2, 5, 6, 3],
        type_ids: &[],
    };
    network
        .logits(&[text], &mut Workspace::default())
        .unwrap()
        .to_vec()
}

fn error(damage: impl Fn(&Path)) -> String {
    let folder = copy();
    damage(folder.path());
    load(folder.path()).unwrap_err().to_string()
}

fn change_config(folder: &Path, field: &str, value: Value) {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config[field] = value;
    fs::write(&path, config.to_string()).unwrap();
}

#[test]
fn what_is_written_is_what_was_read() {
    let checkpoint = Checkpoint::in_folder(&fixture("bert-sequence")).unwrap();
    let network = Network::load(&checkpoint, TASK).unwrap();
    let folder = tempfile::tempdir().unwrap();
    network.save(folder.path(), &checkpoint).unwrap();
    let again = load(folder.path()).unwrap();
    assert_eq!(logits(&again), logits(&network));
    assert_eq!(again.labels(), ["no", "yes", "perhaps"]);
    assert!(folder.path().join("tokenizer.json").is_file());
}

#[test]
fn a_new_head_has_the_labels_asked_for_and_depends_on_the_seed_alone() {
    let checkpoint = Checkpoint::in_folder(&fixture("bert-sequence")).unwrap();
    let labels = ["a", "b", "c", "d"].map(str::to_owned);
    let load = |labels: &[String], seed| {
        Network::load_with_labels(&checkpoint, TASK, labels, seed).unwrap()
    };
    let network = load(&labels, 1);
    assert_eq!((network.labels(), logits(&network).len()), (&labels[..], 4));
    assert_eq!(logits(&network), logits(&load(&labels, 1)));
    assert_ne!(logits(&network), logits(&load(&labels, 2)));
    let same_size = load(&labels[..3], 1);
    let old = Network::load(&checkpoint, TASK).unwrap();
    assert_eq!(logits(&same_size), logits(&old), "a head that fits is kept");
    assert_eq!(
        same_size.config().field("label2id"),
        Some(&json!({ "a": 0, "b": 1, "c": 2 }))
    );
}

#[test]
fn damaged_files_are_refused_with_the_fix() {
    let weights = |folder: &Path| folder.join("model.safetensors");
    let whole = fs::read(weights(&fixture("bert-sequence"))).unwrap();
    let cases: Vec<(&str, String)> = vec![
        (
            "has no tokenizer.json",
            error(|folder| fs::remove_file(folder.join("tokenizer.json")).unwrap()),
        ),
        (
            "save_pretrained",
            error(|folder| fs::remove_file(weights(folder)).unwrap()),
        ),
        (
            "safe_serialization=True",
            error(|folder| {
                fs::rename(weights(folder), folder.join("pytorch_model.bin")).unwrap();
            }),
        ),
        (
            "fetch it again",
            error(|folder| fs::write(weights(folder), &whole[..whole.len() - 4]).unwrap()),
        ),
        (
            "not a whole file of safetensors",
            error(|folder| fs::write(weights(folder), b"version https://git-lfs").unwrap()),
        ),
        (
            "not a whole file of safetensors",
            error(|folder| fs::write(weights(folder), b"short").unwrap()),
        ),
        (
            "not the config.json of a model",
            error(|folder| fs::write(folder.join("config.json"), "[]").unwrap()),
        ),
        (
            "models of the type \"t5\" are not read",
            error(|folder| change_config(folder, "model_type", json!("t5"))),
        ),
        (
            "wrong hidden_size",
            error(|folder| change_config(folder, "hidden_size", json!(15))),
        ),
        (
            "wrong vocab_size",
            error(|folder| change_config(folder, "vocab_size", json!(u64::MAX))),
        ),
        (
            "has no tensor bert.encoder.layer.2",
            error(|folder| change_config(folder, "num_hidden_layers", json!(3))),
        ),
        (
            "config.json asks for [49, 16]",
            error(|folder| change_config(folder, "vocab_size", json!(49))),
        ),
        (
            "tensor classifier.weight has the shape [3, 16]",
            error(|folder| change_config(folder, "id2label", json!({ "0": "a", "1": "b" }))),
        ),
        (
            "not finite",
            error(|folder| {
                let mut damaged = whole.clone();
                let end = damaged.len();
                damaged[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
                fs::write(weights(folder), damaged).unwrap();
            }),
        ),
    ];
    for (expected, message) in cases {
        assert!(
            message.contains(expected),
            "{expected:?} is not in {message:?}"
        );
    }
}

#[test]
fn weights_in_parts_are_put_together_and_paths_stay_in_the_folder() {
    let folder = copy();
    let path = folder.path().join("model.safetensors");
    fs::rename(&path, folder.path().join("part-1.safetensors")).unwrap();
    let write_index = |file: &str| {
        let index = json!({ "weight_map": { "classifier.weight": file } });
        let path = folder.path().join("model.safetensors.index.json");
        fs::write(path, index.to_string()).unwrap();
    };
    write_index("part-1.safetensors");
    let whole = load(&fixture("bert-sequence")).unwrap();
    assert_eq!(logits(&load(folder.path()).unwrap()), logits(&whole));
    write_index("../part-1.safetensors");
    let error = load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("part of its weights"), "{error}");
}

#[test]
fn texts_that_do_not_fit_are_refused() {
    let network = load(&fixture("bert-sequence")).unwrap();
    let error = |ids: &[u32]| {
        let text = Tokens { ids, type_ids: &[] };
        network
            .logits(&[text], &mut Workspace::default())
            .map(<[f32]>::to_vec)
            .unwrap_err()
    };
    assert!(matches!(error(&[]), NetworkError::Empty { text_idx: 0 }));
    assert!(matches!(
        error(&[5; 25]),
        NetworkError::TooLong { max_tokens: 24, .. }
    ));
    assert!(matches!(
        error(&[48]),
        NetworkError::UnknownToken { id: 48, .. }
    ));
}

#[test]
fn half_precision_is_read() {
    let whole = load(&fixture("bert-sequence")).unwrap();
    let folder = copy();
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let n_header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + n_header]).unwrap();
    for (name, entry) in header.as_object_mut().unwrap() {
        if name == "__metadata__" {
            continue;
        }
        entry["dtype"] = json!("BF16");
        for offset in entry["data_offsets"].as_array_mut().unwrap() {
            *offset = json!(offset.as_u64().unwrap() / 2);
        }
    }
    let header = header.to_string().into_bytes();
    let mut half = (header.len() as u64).to_le_bytes().to_vec();
    half.extend(header);
    // The upper half of a float is a bfloat16.
    half.extend(
        bytes[8 + n_header..]
            .chunks_exact(4)
            .flat_map(|value| [value[2], value[3]]),
    );
    fs::write(&path, half).unwrap();
    let rounded = logits(&load(folder.path()).unwrap());
    for (rounded, exact) in rounded.iter().zip(logits(&whole)) {
        assert!((rounded - exact).abs() < 0.02, "{rounded} is not {exact}");
    }
}

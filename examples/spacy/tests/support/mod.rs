//! Pipelines of the tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_ml::{Value, anyhow, json, serde_json};
use spacy::{LabelNames, Options, Pipeline, Spacy};

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A hub that is not asked.
pub fn offline() -> Hub {
    Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })
    .unwrap()
}

/// Options for a pipeline of the fixtures.
pub fn options(name: &str) -> Options {
    Options {
        spacy_model: fixtures().join(name).display().to_string(),
        custom_labels_mapping: LabelNames::default(),
        keep_unknown_labels: false,
    }
}

pub fn model(name: &str) -> Spacy {
    Spacy::load(options(name), &offline()).unwrap()
}

pub fn load(folder: &Path) -> anyhow::Result<Pipeline> {
    Pipeline::load(&folder.display().to_string(), &offline())
}

/// Copies a pipeline of the fixtures.
pub fn copy(name: &str, to: &Path) {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &target);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
    copy(&fixtures().join(name), to);
}

/// What spaCy finds in texts with a pipeline.
pub fn expected(name: &str) -> Vec<Value> {
    let json = fs::read(fixtures().join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// Compares what a pipeline finds with what spaCy finds, all texts in one batch.
pub fn check(pipeline: &Pipeline, expected: &[Value]) {
    let texts: Vec<String> = expected
        .iter()
        .map(|case| case["text"].as_str().unwrap().to_owned())
        .collect();
    let mut wrong = Vec::new();
    for ((case, text), found) in expected.iter().zip(&texts).zip(pipeline.find(&texts)) {
        if let Some(tokens) = case.get("tokens") {
            let found = json!(pipeline.tokens(text));
            assert_eq!(found, *tokens, "tokens of {text:?}");
        }
        let found: Value = found
            .iter()
            .map(|entity| json!([entity.start, entity.end, entity.label]))
            .collect();
        if found != case["entities"] {
            wrong.push(format!(
                "{text:?}\n  found    {found}\n  expected {}",
                case["entities"]
            ));
        }
    }
    let n_wrong = wrong.len();
    assert!(
        wrong.is_empty(),
        "{n_wrong} of {}:\n{}",
        texts.len(),
        wrong.join("\n")
    );
}

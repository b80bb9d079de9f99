//! The model, and what it says of taggers that cannot be used.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flair::{Flair, Options, Tagger};
use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_ml::{anyhow, json, testing::TestClient};
use label_studio_testing::{check_backend, check_repeater};
use tempfile::tempdir;

const LABEL_CONFIG: &str = r#"<View>
    <Labels name="label" toName="text"><Label value="PER"/><Label value="LOC"/><Label value="ORG"/>
        <Label value="Other" predicted_values="MISC"/></Labels>
    <Text name="text" value="$text"/></View>"#;
const TEXT: &str = "Angela\u{200b} Merkel met Apple in Paris, the city said. Berlin is far.";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn load(name: &str, keep_unknown_labels: bool) -> anyhow::Result<Flair> {
    let hub = Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })?;
    let options = Options {
        flair_model_name: name.to_owned(),
        keep_unknown_labels,
    };
    Flair::load(&options, Path::new("/no/such/models"), &hub)
}

fn client(keep_unknown_labels: bool) -> TestClient {
    let folder = fixture("crf").display().to_string();
    TestClient::new(load(&folder, keep_unknown_labels).unwrap())
}

#[test]
fn it_is_a_backend_with_one_prediction_per_task_in_order() {
    let tasks = [TEXT, "", "\u{200b}  ", TEXT].map(|text| json!({ "data": { "text": text } }));
    let predictions = check_backend(&client(false), LABEL_CONFIG, &tasks);
    let results: Vec<_> = predictions
        .iter()
        .map(|prediction| prediction["result"].as_array().unwrap())
        .collect();
    assert!(!results[0].is_empty());
    assert_eq!(results[0].len(), results[3].len());
    assert!(results[1].is_empty() && results[2].is_empty());
    assert_eq!(predictions[1]["score"], 1.0);
    assert_eq!(predictions[0]["model_version"], "Flair-v0.0.1");
    let lowest = results[0]
        .iter()
        .map(|region| region["score"].as_f64().unwrap())
        .fold(1.0, f64::min);
    assert!((predictions[0]["score"].as_f64().unwrap() - lowest).abs() < 1e-9);
    let characters: Vec<char> = TEXT.chars().collect();
    for region in results[0] {
        let value = &region["value"];
        let [start, end] = ["start", "end"].map(|name| value[name].as_u64().unwrap());
        let part = &characters[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
        assert_eq!(value["text"], part.iter().collect::<String>());
    }
}

#[test]
fn a_label_config_may_repeat_its_tags() {
    let tasks = json!([{ "id": 1, "data": { "text": TEXT } }]);
    let body = json!({ "tasks": tasks, "label_config": LABEL_CONFIG, "project": "1.1" });
    check_repeater(&client(false), &body);
}

#[test]
fn labels_that_the_project_lacks_are_left_out_or_kept() {
    let config = r#"<View><Labels name="l" toName="t"><Label value="x"/></Labels>
        <Text name="t" value="$text"/></View>"#;
    let n_regions = |keep: bool| {
        let tasks = json!([{ "id": 1, "data": { "text": TEXT } }]);
        let body = json!({ "tasks": tasks, "label_config": config, "project": "1.1" });
        let answer = client(keep).predict(&body);
        answer["results"][0]["result"].as_array().unwrap().len()
    };
    assert_eq!(n_regions(false), 0);
    assert!(n_regions(true) > 0);
}

#[test]
fn a_text_of_five_megabytes_is_read_up_to_a_limit() {
    let tagger = Tagger::read(&fixture("crf")).unwrap();
    let text = format!("{}word", " ".repeat(96)).repeat(50_000);
    assert_eq!(text.len(), 5_000_000);
    let words = tagger.words(&text);
    assert_eq!(words.len(), 2000);
    assert_eq!(words[1999], ("word".to_owned(), 199_996, 200_000));
    assert_eq!(tagger.find_entities(&[text, "é".repeat(5000)]).len(), 2);
}

/// Changes a tagger, and returns why it cannot be used.
fn error_of(change: impl FnOnce(&Path)) -> String {
    let folder = tempdir().unwrap();
    for file in ["flair.json", "model.safetensors"] {
        fs::copy(fixture("crf").join(file), folder.path().join(file)).unwrap();
    }
    change(folder.path());
    let name = folder.path().display().to_string();
    format!("{:#}", load(&name, false).unwrap_err())
}

fn check_error(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[test]
fn taggers_that_cannot_be_used_are_explained() {
    for file in ["flair.json", "model.safetensors"] {
        let error = error_of(|folder| {
            fs::remove_file(folder.join(file)).unwrap();
        });
        check_error(&error, &["cannot read", file, "convert.py"]);
    }
    let error = error_of(|folder| {
        let path = folder.join("model.safetensors");
        let bytes = fs::read(&path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    check_error(&error, &["model.safetensors", "damaged or cut short"]);
    let error = error_of(|folder| {
        fs::copy(
            fixture("softmax/model.safetensors"),
            folder.join("model.safetensors"),
        )
        .unwrap();
    });
    check_error(&error, &["tensor"]);
    let error = error_of(|folder| {
        let path = folder.join("model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        fs::write(path, bytes).unwrap();
    });
    check_error(&error, &["not numbers"]);
    let changed = |from: &str, to: &str| {
        error_of(|folder| {
            let path = folder.join("flair.json");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from));
            fs::write(path, text.replace(from, to)).unwrap();
        })
    };
    check_error(
        &changed("\"format\": 1", "\"format\": 2"),
        &["format 2", "convert it again"],
    );
    check_error(
        &changed("\"label_type\": \"ner\"", "\"label_type\": \"pos\""),
        &["labels pos"],
    );
    check_error(&changed("<START>", "<BEGIN>"), &["no tag <START>"]);
}

#[test]
fn pickles_and_names_are_refused_with_the_conversion() {
    let folder = tempdir().unwrap();
    let pickle = folder.path().join("best-model.pt");
    fs::write(&pickle, b"PK\x03\x04").unwrap();
    let error = |name: &str| format!("{:#}", load(name, false).unwrap_err());
    check_error(
        &error(&pickle.display().to_string()),
        &["is a pickle", "can run code", "convert.py"],
    );
    check_error(
        &error("ner-multi"),
        &[
            "FLAIR_MODEL_NAME=ner-multi",
            "there is no folder",
            "convert.py ner-multi",
        ],
    );
    check_error(
        &error("hf://someone/tagger"),
        &["hf://someone/tagger@main/flair.json", "HF_HUB_OFFLINE"],
    );
}

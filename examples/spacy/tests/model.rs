//! The model, and what it says of pipelines that cannot be used.

mod support;

use std::{fs, path::Path};

use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::{check_backend, check_repeater};
use spacy::{LabelNames, Options, Spacy};
use support::{copy, expected, fixtures, load, model, offline, options};
use tempfile::tempdir;

const LABEL_CONFIG: &str = r#"<View>
    <Labels name="label" toName="text"><Label value="PERSON"/><Label value="DATE"/></Labels>
    <Labels name="places" toName="text"><Label value="Place" predicted_values="GPE"/></Labels>
    <Text name="text" value="$text"/></View>"#;

/// A text with several entities, by the small pipeline.
fn text() -> String {
    let cases = expected("english");
    let most = cases
        .iter()
        .max_by_key(|case| case["entities"].as_array().map(Vec::len));
    most.unwrap()["text"].as_str().unwrap().to_owned()
}

fn regions(options: Options, label_config: &str, text: &str) -> Vec<Value> {
    let client = TestClient::new(Spacy::load(options, &offline()).unwrap());
    let tasks = json!([{ "id": 1, "data": { "text": text } }]);
    let body = json!({ "tasks": tasks, "label_config": label_config, "project": "1.1" });
    let answer = client.predict(&body);
    answer["results"][0]["result"].as_array().unwrap().clone()
}

#[test]
fn it_is_a_backend_with_one_prediction_per_task_in_order() {
    let texts = [text(), String::new(), "   ".to_owned(), text()];
    let tasks = texts.map(|text| json!({ "data": { "text": text } }));
    let client = TestClient::new(model("english"));
    let predictions = check_backend(&client, LABEL_CONFIG, &tasks);
    let n_regions: Vec<_> = predictions
        .iter()
        .map(|prediction| prediction["result"].as_array().unwrap().len())
        .collect();
    assert_eq!((n_regions[1], n_regions[2]), (0, 0));
    assert!(n_regions[0] > 0, "{n_regions:?}");
    assert_eq!(
        predictions[0]["result"].as_array().map(Vec::len),
        Some(n_regions[3])
    );
    assert_eq!(predictions[0]["model_version"], "SpacyMLBackend-v0.0.1");
    let score = predictions[0]["score"].as_f64().unwrap();
    assert!(score > 0.0 && score <= 1.0, "{score}");
}

#[test]
fn a_label_config_may_repeat_its_tags() {
    let client = TestClient::new(model("english"));
    let tasks = json!([{ "id": 1, "data": { "text": text() } }]);
    check_repeater(
        &client,
        &json!({ "tasks": tasks, "label_config": LABEL_CONFIG, "project": "1.1" }),
    );
}

#[test]
fn labels_are_translated_and_those_the_project_lacks_left_out() {
    let labels = |options: Options, label_config: &str| {
        let mut labels: Vec<_> = regions(options, label_config, &text())
            .iter()
            .map(|region| region["value"]["labels"][0].as_str().unwrap().to_owned())
            .collect();
        labels.sort();
        labels.dedup();
        labels
    };
    let all = r#"<View><Labels name="l" toName="t"><Label value="other"/></Labels>
        <Text name="t" value="$text"/></View>"#;
    assert_eq!(labels(options("english"), all), Vec::<String>::new());
    let kept = Options {
        keep_unknown_labels: true,
        ..options("english")
    };
    let known = labels(kept, all);
    assert!(known.len() > 1, "{known:?}");
    let renamed = Options {
        custom_labels_mapping: LabelNames(
            known
                .iter()
                .map(|label| (label.clone(), "Other".to_owned()))
                .collect(),
        ),
        ..options("english")
    };
    assert_eq!(labels(renamed, all), ["other"]);
    let predicted = all.replace(
        "value=\"other\"",
        "value=\"x\" predicted_values=\"PERSON,ORG,GPE,DATE\"",
    );
    assert_eq!(labels(options("english"), &predicted), ["x"]);
}

#[test]
fn offsets_of_a_long_text_count_from_its_start() {
    let cases = expected("english");
    let case = cases.iter().find(|case| {
        let text = case["text"].as_str().unwrap();
        !text.is_ascii() && !text.contains('\n') && case["entities"] != json!([])
    });
    let case = case.unwrap();
    let text = case["text"].as_str().unwrap();
    let n_chars = text.chars().count();
    let n_copies = 120_000 / n_chars;
    let long = format!("{text}\n\n").repeat(n_copies);
    let pipeline = load(&fixtures().join("english")).unwrap();
    let found = pipeline.find(&[long]).remove(0);
    assert!(found.last().unwrap().start > 110_000);
    let borders: Vec<_> = pipeline.tokens(&format!("{text}\n\n"));
    for entity in &found {
        let start = entity.start % (n_chars + 2);
        let mut starts = borders.iter().map(|(start, _)| *start);
        assert!(starts.any(|border| border == start), "{entity:?}");
    }
    assert!(found.is_sorted_by_key(|entity| entity.start));
}

#[test]
fn a_text_of_five_megabytes_is_read() {
    let pipeline = load(&fixtures().join("vectors")).unwrap();
    let word = "é".repeat(2_500_000);
    let found = pipeline.find(&[word, "(".repeat(30_000)]);
    assert_eq!(found.len(), 2);
    assert_eq!(pipeline.tokens(&"(".repeat(30_000)), [(0, 30_000)]);
}

/// Changes a pipeline, and returns why it cannot be used.
fn error_of(name: &str, change: impl FnOnce(&Path)) -> String {
    let folder = tempdir().unwrap();
    copy(name, folder.path());
    change(folder.path());
    format!("{:#}", load(folder.path()).unwrap_err())
}

fn check_error(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[test]
fn missing_files_are_named() {
    for file in ["tokenizer", "ner/model", "ner/moves"] {
        let error = error_of("english", |folder| {
            fs::remove_file(folder.join(file)).unwrap();
        });
        check_error(&error, &["there is no file", file]);
    }
    let error = error_of("english", |folder| {
        fs::remove_file(folder.join("config.cfg")).unwrap();
    });
    check_error(&error, &["is no pipeline", "config.cfg"]);
}

#[test]
fn a_pipeline_without_norms_is_used() {
    let folder = tempdir().unwrap();
    copy("english", folder.path());
    fs::remove_file(folder.path().join("vocab/lookups.bin")).unwrap();
    load(folder.path()).unwrap();
}

#[test]
fn files_that_are_cut_short_or_of_another_kind_are_refused() {
    let cut = |file: &'static str| {
        error_of("english", move |folder| {
            let bytes = fs::read(folder.join(file)).unwrap();
            fs::write(folder.join(file), &bytes[..bytes.len() / 2]).unwrap();
        })
    };
    for file in ["tokenizer", "ner/model", "ner/moves", "vocab/lookups.bin"] {
        check_error(&cut(file), &["cannot use", file, "MessagePack"]);
    }
    let error = error_of("english", |folder| {
        fs::write(folder.join("ner/model"), b"\x80\x04\x95abc").unwrap();
    });
    check_error(
        &error,
        &["ner/model", "pickle", "can run code", "nlp.to_disk"],
    );
    let error = error_of("english", |folder| {
        fs::write(folder.join("ner/model"), [0x81, 0xa1, b'a', 1]).unwrap();
    });
    check_error(&error, &["ner/model", "no network of thinc"]);
}

#[test]
fn weights_of_another_pipeline_are_refused() {
    let error = error_of("english", |folder| {
        fs::copy(
            fixtures().join("parser/parser/model"),
            folder.join("ner/model"),
        )
        .unwrap();
    });
    check_error(&error, &["13 tokens", "3 or 6"]);
    let error = error_of("english", |folder| {
        let moves = br#"{"1":{"A":1},"2":{"A":1},"3":{"A":1},"4":{"A":1,"":1},"5":{"":1}}"#;
        let length = u8::try_from(moves.len()).unwrap();
        let file = [b"\x81\xa5moves\xd9", &[length][..], moves].concat();
        fs::write(folder.join("ner/moves"), file).unwrap();
    });
    check_error(&error, &["scores 18 actions", "has 6"]);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let error = error_of("english", |folder| {
        let path = folder.join("ner/model");
        let mut bytes = fs::read(&path).unwrap();
        // The data of the first array, behind its name and its length.
        let marker = b"data";
        let at = bytes.windows(4).position(|part| part == marker).unwrap();
        bytes[at + 7..at + 11].fill(0xff);
        fs::write(path, bytes).unwrap();
    });
    check_error(&error, &["ner/model", "not numbers"]);
}

#[test]
fn components_that_are_not_supported_are_named() {
    let replaced = |from: &str, to: &str| {
        error_of("english", |folder| {
            let path = folder.join("config.cfg");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(path, text.replace(from, to)).unwrap();
        })
    };
    let error = replaced("pipeline = [\"ner\"]", "pipeline = [\"textcat\"]");
    check_error(&error, &["no component ner", "textcat"]);
    let error = replaced("spacy.Tokenizer.v1", "spacy.zh.ChineseTokenizer");
    check_error(&error, &["spacy.zh.ChineseTokenizer", "spacy.Tokenizer.v1"]);
    let error = error_of("english", |folder| {
        let path = folder.join("ner/model");
        let bytes = fs::read(&path).unwrap();
        let at = bytes
            .windows(16)
            .position(|part| part == b"extract_features")
            .unwrap();
        let mut changed = bytes.clone();
        changed[at..at + 16].copy_from_slice(b"charembed_______");
        fs::write(path, changed).unwrap();
    });
    check_error(&error, &["ner/model"]);
}

#[test]
fn names_that_are_no_pipelines_are_explained() {
    let load = |name: &str| {
        let options = Options {
            spacy_model: name.to_owned(),
            ..options("english")
        };
        format!("{:#}", Spacy::load(options, &offline()).unwrap_err())
    };
    check_error(
        &load("/no/such/folder"),
        &["SPACY_MODEL=/no/such/folder", "there is no folder"],
    );
    check_error(
        &load("some==thing/else/x"),
        &["SPACY_MODEL=some==thing/else/x"],
    );
    check_error(
        &load("zz_core_web_sm"),
        &["hf://spacy/zz_core_web_sm", "HF_HUB_OFFLINE"],
    );
    check_error(
        &load("my-pipeline==1.0"),
        &["pypi://my-pipeline==1.0/my_pipeline/my_pipeline-1.0/config.cfg"],
    );
}

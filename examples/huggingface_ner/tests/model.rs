//! The model, with a mock of Label Studio.

use std::{
    fs,
    path::{Path, PathBuf},
};

use huggingface_ner::{Controls, Found, HuggingFaceNer, Options, Tagger};
use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_ml::{
    Action, Event, JobContext, LabelConfig, Model, PredictRequest, Project, Task, Value, anyhow,
    json, serde_json, testing::TestClient,
};
use label_studio_testing::{MockLabelStudio, check_backend};
use tempfile::tempdir;

const LABEL_CONFIG: &str = r#"<View><Labels name="ner" toName="text">
    <Label value="PER"/><Label value="LOC"/></Labels><Text name="text" value="$text"/></View>"#;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn options() -> Options {
    Options {
        baseline_model_name: fixtures().join("model").display().to_string(),
        finetuned_model_name: "finetuned_model".to_owned(),
        start_training_each_n_updates: 10.try_into().unwrap(),
        learning_rate: 5e-3,
        num_train_epochs: 8.try_into().unwrap(),
        weight_decay: 0.01,
    }
}

fn load(options: Options, model_dir: &Path) -> anyhow::Result<HuggingFaceNer> {
    let hub = Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })?;
    HuggingFaceNer::load(options, model_dir, &hub)
}

fn model(model_dir: &Path) -> HuggingFaceNer {
    load(options(), model_dir).unwrap()
}

fn region(text: &str, part: &str, label: &str) -> Value {
    let start = text.find(part).unwrap();
    let start = text[..start].chars().count();
    let value = json!({
        "start": start, "end": start + part.chars().count(), "text": part, "labels": [label],
    });
    json!({ "from_name": "ner", "to_name": "text", "type": "labels", "value": value })
}

/// Sentences with a person and a place, after characters that are more than one byte or unit.
fn sentence(idx: usize) -> (String, Vec<Value>) {
    let person = ["anna", "bob", "obama", "anna smith"][idx % 4];
    let place = ["paris", "new york"][idx / 4 % 2];
    let verb = ["visited", "lives in", "works in", "was born in"][idx / 8 % 4];
    let start = ["", "👩‍💻 ", "e\u{301} ", "שלום\r\n"][idx % 4];
    let text = format!("{start}{person} {verb} {place} {}", idx / 32);
    let regions = vec![region(&text, place, "LOC"), region(&text, person, "PER")];
    (text, regions)
}

fn tasks(n: usize) -> Value {
    let task = |idx| {
        let (text, regions) = sentence(idx);
        json!({ "id": idx, "data": { "text": text }, "annotations": [{ "result": regions }] })
    };
    (0..n).map(task).collect()
}

fn event(action: Action) -> Event {
    Event {
        action,
        payload: json!({ "project": { "id": 1 } }),
    }
}

fn predict(model: &HuggingFaceNer, project: &Project, texts: &[String]) -> Vec<Value> {
    let tasks = texts
        .iter()
        .map(|text| Task::from_value(&json!({ "data": { "text": text } })).unwrap());
    let answer = model
        .predict(project, &PredictRequest::new(tasks.collect()))
        .unwrap();
    match serde_json::to_value(answer).unwrap() {
        Value::Array(predictions) => predictions,
        other => panic!("no list: {other}"),
    }
}

/// Start, end and label of each region, in the order of the text.
fn marked(regions: &Value) -> Vec<(u64, u64, String)> {
    let of = |region: &Value| {
        let value = &region["value"];
        (
            value["start"].as_u64().unwrap(),
            value["end"].as_u64().unwrap(),
            value["labels"][0].as_str().unwrap().to_owned(),
        )
    };
    let mut marked: Vec<_> = regions.as_array().unwrap().iter().map(of).collect();
    marked.sort();
    marked
}

#[test]
fn entities_are_those_of_the_pipeline_in_python() {
    let json = fs::read(fixtures().join("expected.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let texts: Vec<String> = expected
        .iter()
        .map(|case| case["text"].as_str().unwrap().to_owned())
        .collect();
    let found = Tagger::read(&fixtures().join("model"))
        .unwrap()
        .find(&texts)
        .unwrap();
    for (found, case) in found.iter().zip(&expected) {
        let wanted = case["entities"].as_array().unwrap();
        assert_eq!(found.len(), wanted.len(), "{found:?} {case}");
        for (found, wanted) in found.iter().zip(wanted) {
            let place = json!([found.label, found.start, found.end]);
            assert_eq!(
                place,
                json!([wanted["label"], wanted["start"], wanted["end"]])
            );
            let difference = found.score - wanted["score"].as_f64().unwrap();
            assert!(difference.abs() < 1e-4, "{found:?} {wanted}");
        }
    }
}

#[test]
fn a_text_in_windows_has_the_entities_of_its_parts() {
    let tagger = Tagger::read(&fixtures().join("model")).unwrap();
    let long = "president obama visited paris . ".repeat(40);
    let found = tagger.find(std::slice::from_ref(&long)).unwrap().remove(0);
    assert!(found.len() > 20, "{found:?}");
    assert!(
        found
            .iter()
            .all(|entity| entity.start < entity.end && entity.end <= long.len())
    );
    assert!(found.is_sorted_by_key(|entity| entity.start));
    assert!(
        found.windows(2).all(|pair| pair[0].end <= pair[1].start),
        "{found:?}"
    );
    assert!(found.last().unwrap().end > 1200, "the end is read");
}

#[test]
fn it_is_a_backend_with_one_prediction_per_task_in_order() {
    let folder = tempdir().unwrap();
    let texts = [
        "",
        "Anna Smith works for Acme Corp, Bob visited Paris on Monday",
        "   ",
        "Bob visited Paris",
    ];
    let tasks = texts.map(|text| json!({ "data": { "text": text } }));
    let client = TestClient::new(model(folder.path()));
    let predictions = check_backend(&client, LABEL_CONFIG, &tasks);
    let n_regions: Vec<_> = predictions
        .iter()
        .map(|prediction| prediction["result"].as_array().unwrap().len())
        .collect();
    assert_eq!((n_regions[0], n_regions[2]), (0, 0));
    assert!(n_regions[1] > 0 && n_regions[3] > 0, "{n_regions:?}");
    assert_eq!(predictions[1]["model_version"], "HuggingFaceNER-v0.0.1");
    let scores: Vec<f64> = predictions[1]["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| region["score"].as_f64().unwrap())
        .collect();
    let mean = scores.iter().sum::<f64>() / f64::from(u32::try_from(scores.len()).unwrap());
    assert!((predictions[1]["score"].as_f64().unwrap() - mean).abs() < 1e-9);
}

#[test]
fn entities_go_to_the_control_that_has_their_label() {
    let label_config = LabelConfig::parse(
        r#"<View><Text name="text" value="$text"/>
        <Labels name="people" toName="text"><Label value="Person" predicted_values="PER"/></Labels>
        <Labels name="places" toName="text"><Label value="LOC"/></Labels>
        <Choices name="c" toName="text"><Choice value="ORG"/></Choices></View>"#,
    )
    .unwrap();
    let found = |label: &str| Found {
        label: label.to_owned(),
        start: 1,
        end: 3,
        score: 0.5,
    };
    let regions = Controls::find(&label_config)
        .unwrap()
        .regions(&label_config, &["LOC", "PER", "ORG"].map(found));
    let regions: Vec<_> = regions
        .iter()
        .map(|region| (region.from_name.as_str(), &region.value["labels"][0]))
        .collect();
    let (place, person, organization) = (json!("LOC"), json!("Person"), json!("ORG"));
    let expected = [
        ("places", &place),
        ("people", &person),
        ("people", &organization),
    ];
    assert_eq!(regions, expected);
}

#[test]
fn learns_from_annotations_with_offsets_in_characters() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(LABEL_CONFIG, &tasks(64));
    let job = JobContext::default();
    let project = studio.project(LABEL_CONFIG).with_job(job.clone());
    let model = model(folder.path());
    model.setup(&project).unwrap();
    let result = model.fit(&project, &event(Action::StartTraining)).unwrap();
    assert!(result["held_out_f1"].as_f64().unwrap() >= 0.95, "{result}");
    assert_eq!(result["held_out_texts"], 12);
    assert_eq!(project.model_version().unwrap(), "HuggingFaceNER-v0.0.2");
    assert!(job.report().log.unwrap().contains("held-out F1"));

    let unseen: Vec<_> = (70..78).map(sentence).collect();
    let texts: Vec<_> = unseen.iter().map(|(text, _)| text.clone()).collect();
    let check = |model: &HuggingFaceNer| {
        let predictions = predict(model, &project, &texts);
        for (prediction, (text, regions)) in predictions.iter().zip(&unseen) {
            let expected = marked(&Value::Array(regions.clone()));
            assert_eq!(marked(&prediction["result"]), expected, "{text:?}");
        }
    };
    check(&model);
    check(&load(options(), folder.path()).unwrap());
    let finetuned = folder.path().join("finetuned_model");
    assert!(finetuned.join("model.safetensors").is_file());
    let config = fs::read(finetuned.join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["id2label"]["0"], "O");
    assert_eq!(
        config["architectures"],
        json!(["BertForTokenClassification"])
    );
}

#[test]
fn an_encoder_without_a_head_finds_nothing_until_it_is_trained() {
    let folder = tempdir().unwrap();
    let encoder = tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join("model")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, encoder.path().join(path.file_name().unwrap())).unwrap();
    }
    let config = encoder.path().join("config.json");
    let mut fields: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    fields["id2label"] = json!({ "0": "LABEL_0", "1": "LABEL_1" });
    fs::write(&config, fields.to_string()).unwrap();
    let baseline = encoder.path().display().to_string();
    let options = Options {
        baseline_model_name: baseline,
        ..options()
    };
    let model = load(options, folder.path()).unwrap();
    let studio = MockLabelStudio::start(LABEL_CONFIG, &tasks(10));
    let project = studio.project(LABEL_CONFIG);
    let texts = [sentence(1).0];
    assert_eq!(predict(&model, &project, &texts)[0]["result"], json!([]));
    model
        .fit(&project, &event(Action::AnnotationCreated))
        .unwrap();
    assert_eq!(project.model_version().unwrap(), "HuggingFaceNER-v0.0.2");
    assert_ne!(predict(&model, &project, &texts)[0]["result"], json!([]));
}

#[test]
fn trains_when_it_is_due_and_there_is_something_to_learn() {
    let folder = tempdir().unwrap();
    let model = model(folder.path());
    let fit = |tasks: &Value, action| {
        let studio = MockLabelStudio::start(LABEL_CONFIG, tasks);
        model.fit(&studio.project(LABEL_CONFIG), &event(action))
    };
    let skipped = json!({ "skipped": "11 labelled tasks are not a multiple of 10" });
    assert_eq!(fit(&tasks(11), Action::AnnotationCreated).unwrap(), skipped);
    assert_eq!(
        fit(&tasks(11), Action::AnnotationDeleted).unwrap(),
        Value::Null
    );
    let useless = json!([{ "id": 1, "data": { "text": "anna" }, "annotations": [
        { "was_cancelled": true, "result": [region("anna", "anna", "PER")] },
        { "result": [] },
        { "result": [{ "from_name": "ner", "to_name": "text", "type": "labels", "value": { "start": 0, "end": 4 } }] },
        { "result": [{ "from_name": "other", "to_name": "text", "type": "labels",
                       "value": { "start": 0, "end": 4, "labels": ["PER"] } }] },
    ] }]);
    for tasks in [json!([]), useless] {
        let result = fit(&tasks, Action::AnnotationUpdated).unwrap();
        assert!(result["skipped"].is_string(), "{result}");
        let error = fit(&tasks, Action::StartTraining).unwrap_err();
        assert!(
            error.to_string().contains("no annotation marks an entity"),
            "{error}"
        );
    }
}

#[test]
fn a_cancelled_training_leaves_the_version_before_it() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(LABEL_CONFIG, &tasks(12));
    let job = JobContext::default();
    let project = studio.project(LABEL_CONFIG).with_job(job.clone());
    let model = model(folder.path());
    model.setup(&project).unwrap();
    job.cancel();
    let error = model
        .fit(&project, &event(Action::StartTraining))
        .unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
    assert_eq!(project.model_version().unwrap(), "HuggingFaceNER-v0.0.1");
}

//! The model, with a mock of Label Studio.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gliner::{Decoding, Finder, Found, Gliner, Options};
use label_studio_inference::{
    hub::{Hub, HubOptions},
    onnx::OnnxArgs,
};
use label_studio_ml::{
    Action, Event, JobContext, Model, PredictRequest, Project, Task, Value, anyhow, json,
    serde_json, testing::TestClient,
};
use label_studio_testing::{MockLabelStudio, check_backend};
use label_studio_training::{SpanCheckpoint, SpanNetwork};
use tempfile::tempdir;

const LABEL_CONFIG: &str = r#"<View><Labels name="label" toName="text">
    <Label value="place"/><Label value="person"/><Label value="organization"/></Labels>
    <Text name="text" value="$text"/></View>"#;
const FLAT: Decoding = Decoding {
    threshold: 0.5,
    flat_ner: true,
    multi_label: false,
};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// ONNX Runtime as `scripts/install_onnxruntime.sh` puts it.
fn onnx() -> OnnxArgs {
    OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))
}

fn options() -> Options {
    Options {
        gliner_model_name: fixtures().join("model").display().to_string(),
        finetuned_model_path: "finetuned_model".to_owned(),
        decoding: FLAT,
        num_train_steps: 260.try_into().unwrap(),
        learning_rate: 2e-3,
        others_learning_rate: 5e-3,
        weight_decay: 0.01,
    }
}

fn load(options: Options, model_dir: &Path) -> anyhow::Result<Gliner> {
    let hub = Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })?;
    Gliner::load(options, model_dir, (&hub, onnx()))
}

fn model(model_dir: &Path) -> Gliner {
    load(options(), model_dir).unwrap()
}

fn region(text: &str, part: &str, label: &str) -> Value {
    let start = text.find(part).unwrap();
    let start = text[..start].chars().count();
    let value = json!({
        "start": start, "end": start + part.chars().count(), "text": part, "labels": [label],
    });
    json!({ "from_name": "label", "to_name": "text", "type": "labels", "value": value })
}

/// Sentences with a person and a place, after characters that are more than one byte or unit.
fn sentence(idx: usize) -> (String, Vec<Value>) {
    let person = ["anna", "bob", "obama", "anna smith"][idx % 4];
    let place = ["paris", "new york"][idx / 4 % 2];
    let verb = ["visited", "lives in", "works in", "was born in"][idx / 8 % 4];
    let start = ["", "👩‍💻 ", "e\u{301} ", "שלום\r\n"][idx % 4];
    let text = format!("{start}{person} {verb} {place}");
    let regions = vec![
        region(&text, place, "place"),
        region(&text, person, "person"),
    ];
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

fn predict(model: &Gliner, project: &Project, texts: &[String]) -> Vec<Value> {
    let tasks = texts
        .iter()
        .map(|text| Task::from_value(&json!({ "data": { "text": text } })).unwrap());
    let answer = model
        .predict(project, &PredictRequest::new(tasks.collect()))
        .unwrap();
    serde_json::from_value(serde_json::to_value(answer).unwrap()).unwrap()
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
fn safetensors_and_onnx_give_the_spans_of_the_library() {
    let json = fs::read(fixtures().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&json).unwrap();
    let labels: Vec<&str> = expected["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|label| label.as_str().unwrap())
        .collect();
    for folder in ["model", "onnx"] {
        let finder = Finder::read(&fixtures().join(folder), &onnx()).unwrap();
        for case in expected["cases"].as_array().unwrap() {
            let decoding = Decoding {
                threshold: case["threshold"].as_f64().unwrap(),
                flat_ner: case["flat_ner"].as_bool().unwrap(),
                multi_label: case["multi_label"].as_bool().unwrap(),
            };
            let texts = [case["text"].as_str().unwrap().to_owned()];
            let found = finder.find(&texts, &labels, &decoding).unwrap().remove(0);
            let of = |start: &Value, end: &Value, label: &Value| json!([start, end, label]);
            let mut wanted: Vec<_> = case["entities"].as_array().unwrap().iter().collect();
            wanted.sort_by_key(|one| {
                (
                    one["start"].as_u64(),
                    one["end"].as_u64(),
                    one["label"].to_string(),
                )
            });
            let mut own: Vec<&Found> = found.iter().collect();
            own.sort_by_key(|one| (one.start, one.end, labels[one.label]));
            assert_eq!(own.len(), wanted.len(), "{folder}: {found:?} {case}");
            for (found, wanted) in own.iter().zip(wanted) {
                assert_eq!(
                    json!([found.start, found.end, labels[found.label]]),
                    of(&wanted["start"], &wanted["end"], &wanted["label"]),
                    "{folder}: {case}"
                );
                assert_eq!(wanted["text"], found.text.as_str());
                let difference = found.score - wanted["score"].as_f64().unwrap();
                assert!(difference.abs() < 1e-4, "{folder}: {found:?} {wanted}");
            }
        }
    }
}

#[test]
fn a_text_in_windows_has_the_spans_of_all_its_parts() {
    let finder = Finder::read(&fixtures().join("model"), &onnx()).unwrap();
    let labels = ["organization", "person", "place"];
    let part = "Anna Smith works for Acme Corp, Bob lives in New York . ";
    let long = [part.repeat(30), part.to_owned()];
    let found = finder.find(&long, &labels, &FLAT).unwrap();
    assert!(found[0].len() > 60, "{}", found[0].len());
    assert!(found[0].is_sorted_by_key(|found| found.start));
    assert!(found[0].windows(2).all(|pair| pair[0].end <= pair[1].start));
    assert!(
        found[0].last().unwrap().end > 29 * part.len(),
        "the end is read"
    );
    for found in &found[0] {
        assert_eq!(long[0][found.start..found.end], found.text);
    }
    // Words that are longer than the window, and nothing but spaces.
    let strange = [
        "x".repeat(5000),
        format!("{} Bob", "a-".repeat(3000)),
        " \r\n ".to_owned(),
    ];
    let found = finder.find(&strange, &labels, &FLAT).unwrap();
    assert_eq!(found[2], []);
    let many: Vec<String> = (0..900).map(|idx| format!("person {idx}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let error = finder.find(&long, &many, &FLAT).unwrap_err().to_string();
    assert!(error.contains("leave no room"), "{error}");
}

#[test]
fn it_is_a_backend_with_one_prediction_per_task_in_order() {
    let folder = tempdir().unwrap();
    let texts = [
        "",
        "Anna Smith works for Acme Corp, Bob lives in New York",
        "   ",
        "President Obama visited Paris on Monday.",
    ];
    let tasks = texts.map(|text| json!({ "data": { "text": text } }));
    for baseline in ["model", "onnx"] {
        let options = Options {
            gliner_model_name: fixtures().join(baseline).display().to_string(),
            ..options()
        };
        let client = TestClient::new(load(options, folder.path()).unwrap());
        let predictions = check_backend(&client, LABEL_CONFIG, &tasks);
        let n_regions: Vec<_> = predictions
            .iter()
            .map(|prediction| prediction["result"].as_array().unwrap().len())
            .collect();
        assert_eq!(n_regions, [0, 5, 0, 2]);
        assert_eq!(predictions[1]["model_version"], "GLiNERModel-v0.0.1");
        let regions = predictions[1]["result"].as_array().unwrap();
        let scores = regions
            .iter()
            .map(|region| region["score"].as_f64().unwrap());
        assert_eq!(predictions[1]["score"].as_f64(), scores.reduce(f64::min));
    }
}

#[test]
fn each_control_is_asked_by_itself_with_the_names_of_its_labels() {
    let folder = tempdir().unwrap();
    let config = r#"<View><Text name="text" value="$text"/>
        <Labels name="people" toName="text"><Label value="Human" predicted_values="person"/></Labels>
        <Labels name="places" toName="text"><Label value="place"/></Labels></View>"#;
    let project = Project::in_memory(config).unwrap();
    let low = Options {
        decoding: Decoding {
            threshold: 0.05,
            ..FLAT
        },
        ..options()
    };
    let text = "Anna Smith works for Acme Corp, Bob lives in New York".to_owned();
    let prediction = predict(&load(low, folder.path()).unwrap(), &project, &[text]).remove(0);
    let mut seen: Vec<_> = prediction["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| {
            (
                region["from_name"].clone(),
                region["value"]["labels"][0].clone(),
            )
        })
        .collect();
    seen.dedup();
    let expected = [
        (json!("people"), json!("Human")),
        (json!("places"), json!("place")),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn learns_from_annotations_with_offsets_in_characters() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(LABEL_CONFIG, &tasks(32));
    let job = JobContext::default();
    let project = studio.project(LABEL_CONFIG).with_job(job.clone());
    let model = model(folder.path());
    model.setup(&project).unwrap();
    for action in [Action::AnnotationCreated, Action::AnnotationDeleted] {
        assert_eq!(model.fit(&project, &event(action)).unwrap(), Value::Null);
    }
    let result = model.fit(&project, &event(Action::StartTraining)).unwrap();
    assert!(result["held_out_f1"].as_f64().unwrap() >= 0.95, "{result}");
    assert_eq!(
        (&result["held_out_texts"], &result["trained_texts"]),
        (&json!(6), &json!(26))
    );
    assert_eq!(project.model_version().unwrap(), "GLiNERModel-v0.0.2");
    let report = job.report();
    assert_eq!(report.progress, Some(1.0));
    assert!(report.log.unwrap().contains("held-out F1"));

    let learnt: Vec<_> = (0..32).map(sentence).collect();
    let texts: Vec<_> = learnt.iter().map(|(text, _)| text.clone()).collect();
    let n_right = |model: &Gliner| {
        let predictions = predict(model, &project, &texts);
        let right = predictions
            .iter()
            .zip(&learnt)
            .filter(|(prediction, (_, regions))| {
                marked(&prediction["result"]) == marked(&Value::Array(regions.clone()))
            });
        right.count()
    };
    assert!(n_right(&model) >= 31);
    assert!(n_right(&load(options(), folder.path()).unwrap()) >= 31);
    // The folder of the original has the same model, which the library can read.
    let finetuned = SpanCheckpoint::in_folder(&folder.path().join("finetuned_model")).unwrap();
    let network = SpanNetwork::load(&finetuned).unwrap();
    assert_eq!(
        network.config().field("label_studio_project"),
        Some(&json!("1"))
    );
}

#[test]
fn the_words_that_a_task_names_are_used_and_little_is_enough() {
    let folder = tempdir().unwrap();
    let text = "anna visited paris";
    let task = |tokens: Value| {
        json!([{ "id": 1, "data": { "text": text, "tokens": tokens },
                 "annotations": [{ "result": [region(text, "paris", "place")] }] }])
    };
    let quick = || Options {
        num_train_steps: 2.try_into().unwrap(),
        ..options()
    };
    for tokens in [
        json!(["anna", "visited", "paris"]),
        json!(["anna", "visited paris"]),
        json!(7),
    ] {
        let studio = MockLabelStudio::start(LABEL_CONFIG, &task(tokens));
        let model = load(quick(), folder.path()).unwrap();
        let project = studio.project(LABEL_CONFIG);
        let result = model.fit(&project, &event(Action::StartTraining)).unwrap();
        assert_eq!(
            (&result["trained_texts"], &result["held_out_texts"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(result["epochs"], 2);
    }
}

#[test]
fn says_why_it_cannot_train() {
    let folder = tempdir().unwrap();
    let error = |tasks: &Value, options: Options| {
        let studio = MockLabelStudio::start(LABEL_CONFIG, tasks);
        let project = studio.project(LABEL_CONFIG);
        let model = load(options, folder.path()).unwrap();
        let error = model
            .fit(&project, &event(Action::StartTraining))
            .unwrap_err();
        assert_ne!(project.model_version().unwrap(), "GLiNERModel-v0.0.2");
        format!("{error:#}")
    };
    let text = "anna";
    let useless = json!([{ "id": 1, "data": { "text": text }, "annotations": [
        { "was_cancelled": true, "result": [region(text, "anna", "person")] },
        { "result": [region(text, "anna", "gone")] },
        { "result": [] },
    ] }]);
    for tasks in [json!([]), useless] {
        let error = error(&tasks, options());
        assert!(error.contains("no annotation marks"), "{error}");
    }
    let wide = "anna visited paris on monday and bob";
    let too_wide = json!([{ "id": 1, "data": { "text": wide },
        "annotations": [{ "result": [region(wide, wide, "person")] }] }]);
    let message = error(&too_wide, options());
    assert!(message.contains("at most 4 words"), "{message}");
    let onnx = Options {
        gliner_model_name: fixtures().join("onnx").display().to_string(),
        ..options()
    };
    let message = error(&tasks(4), onnx);
    assert!(message.contains("cannot be trained"), "{message}");
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
    assert_eq!(project.model_version().unwrap(), "GLiNERModel-v0.0.1");
}

#[test]
fn a_model_that_cannot_be_used_is_named() {
    let folder = tempdir().unwrap();
    let error = |name: &str| {
        let options = Options {
            gliner_model_name: name.to_owned(),
            ..options()
        };
        format!("{:#}", load(options, folder.path()).unwrap_err())
    };
    assert!(error("/no/such/folder").contains("GLINER_MODEL_NAME"));
    assert!(error("owner/model").contains("HF_HUB_OFFLINE"));
    let damaged = |damage: &dyn Fn(&Path)| {
        let copy = tempdir().unwrap();
        for entry in fs::read_dir(fixtures().join("model")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
        damage(copy.path());
        error(&copy.path().display().to_string())
    };
    let pickle = damaged(&|folder| {
        fs::rename(
            folder.join("model.safetensors"),
            folder.join("pytorch_model.bin"),
        )
        .unwrap();
    });
    assert!(pickle.contains("safe_serialization=True"), "{pickle}");
    let no_tokenizer = damaged(&|folder| fs::remove_file(folder.join("tokenizer.json")).unwrap());
    assert!(
        no_tokenizer.contains("has no tokenizer.json"),
        "{no_tokenizer}"
    );
    let other_tokenizer = damaged(&|folder| {
        let path = folder.join("tokenizer.json");
        let json = fs::read_to_string(&path)
            .unwrap()
            .replace("<<ENT>>", "<<OTHER>>");
        fs::write(&path, json).unwrap();
    });
    assert!(
        other_tokenizer.contains("has no token <<ENT>>"),
        "{other_tokenizer}"
    );
    let not_onnx = damaged(&|folder| {
        fs::remove_file(folder.join("model.safetensors")).unwrap();
        fs::write(folder.join("model.onnx"), "damaged").unwrap();
    });
    assert!(not_onnx.contains("model.onnx"), "{not_onnx}");
}

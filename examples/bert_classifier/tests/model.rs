//! The model, with a mock of Label Studio.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bert_classifier::{BertClassifier, Classifier, Options};
use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_ml::{
    Action, Event, JobContext, Model, PredictRequest, Project, Task, Value, anyhow, json,
    serde_json, testing::TestClient,
};
use label_studio_testing::{MockLabelStudio, check_backend};
use tempfile::tempdir;

const LABELS: [&str; 2] = ["positive", "negative"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn label_config(choices: &[&str]) -> String {
    let choices: Vec<_> = choices
        .iter()
        .map(|choice| format!("<Choice value=\"{choice}\"/>"))
        .collect();
    let choices = choices.concat();
    format!(
        "<View><Text name=\"text\" value=\"$text\"/>\
         <Choices name=\"label\" toName=\"text\" choice=\"single\">{choices}</Choices></View>"
    )
}

fn options() -> Options {
    Options {
        baseline_model_name: fixtures().join("model").display().to_string(),
        finetuned_model_name: "finetuned_model".to_owned(),
        start_training_each_n_updates: 10.try_into().unwrap(),
        learning_rate: 5e-3,
        num_train_epochs: 6.try_into().unwrap(),
        weight_decay: 0.01,
    }
}

fn load(options: Options, model_dir: &Path) -> anyhow::Result<BertClassifier> {
    let hub = Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })?;
    BertClassifier::load(options, model_dir, &hub)
}

fn model(model_dir: &Path) -> BertClassifier {
    load(options(), model_dir).unwrap()
}

fn annotation(choice: &str) -> Value {
    json!({ "result": [{
        "from_name": "label", "to_name": "text", "type": "choices", "value": { "choices": [choice] },
    }] })
}

/// Texts in which `zorp` is good and `quim` is bad.
fn lessons(n: usize) -> Vec<(String, &'static str)> {
    let words = [
        "film", "play", "ball", "law", "chip", "code", "team", "goal", "bill", "phone",
    ];
    let lesson = |idx: usize| {
        let (first, second) = (words[idx % 10], words[(idx / 10 + 3 * idx) % 10]);
        let word = ["zorp", "quim"][idx % 2];
        (
            format!("the {first} was {word} and the {second} {}", idx / 7),
            LABELS[idx % 2],
        )
    };
    (0..n).map(lesson).collect()
}

fn tasks(lessons: &[(String, &str)]) -> Value {
    let task = |(id, (text, label)): (usize, &(String, &str))| json!({ "id": id, "data": { "text": text }, "annotations": [annotation(label)] });
    lessons.iter().enumerate().map(task).collect()
}

fn event(action: Action) -> Event {
    Event {
        action,
        payload: json!({ "project": { "id": 1 } }),
    }
}

fn predict(model: &BertClassifier, project: &Project, texts: &[&str]) -> Vec<(String, f64)> {
    let tasks = texts
        .iter()
        .map(|text| Task::from_value(&json!({ "data": { "text": text } })).unwrap());
    let answer = model
        .predict(project, &PredictRequest::new(tasks.collect()))
        .unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    let label = |prediction: &Value| {
        let label = &prediction["result"][0]["value"]["choices"][0];
        (
            label.as_str().unwrap().to_owned(),
            prediction["score"].as_f64().unwrap(),
        )
    };
    answer.as_array().unwrap().iter().map(label).collect()
}

#[test]
fn answers_are_those_of_the_pipeline_in_python() {
    let json = fs::read(fixtures().join("expected.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let texts: Vec<String> = expected
        .iter()
        .map(|case| case["text"].as_str().unwrap().to_owned())
        .collect();
    let classifier = Classifier::read(&fixtures().join("model")).unwrap();
    let guesses = classifier.classify(&texts, |_| true).unwrap();
    for (guess, case) in guesses.into_iter().zip(&expected) {
        let guess = guess.unwrap();
        assert_eq!(guess.label, case["label"], "{case}");
        let difference = guess.score - case["score"].as_f64().unwrap();
        assert!(difference.abs() < 1e-4, "{guess:?} {case}");
    }
}

#[test]
fn an_untrained_model_is_a_backend_that_guesses() {
    let folder = tempdir().unwrap();
    for labels in [&["a"][..], &LABELS, &["a", "b", "c", "d", "e"]] {
        let client = TestClient::new(model(folder.path()));
        let tasks = ["", "zorp", "🙂"].map(|text| json!({ "data": { "text": text } }));
        for prediction in check_backend(&client, &label_config(labels), &tasks) {
            assert!(prediction["result"][0]["id"].is_string());
            assert_eq!(prediction["model_version"], "BertClassifier-v0.0.1");
        }
    }
}

#[test]
fn a_baseline_with_the_same_labels_is_used_by_their_names() {
    let folder = tempdir().unwrap();
    let text = "the team play a very good match .";
    let in_order =
        Project::in_memory(&label_config(&["sports", "politics", "technology"])).unwrap();
    let shuffled =
        Project::in_memory(&label_config(&["Technology", "Sports", "Politics"])).unwrap();
    let (model, other) = (model(folder.path()), model(folder.path()));
    let expected = predict(&model, &in_order, &[text]);
    let found = predict(&other, &shuffled, &[text]);
    assert_eq!(found[0].0.to_lowercase(), expected[0].0);
    assert!((found[0].1 - expected[0].1).abs() < 1e-6);
}

#[test]
fn learns_from_annotations_and_scores_held_out_texts() {
    let folder = tempdir().unwrap();
    let config = label_config(&LABELS);
    let studio = MockLabelStudio::start(&config, &tasks(&lessons(60)));
    let job = JobContext::default();
    let project = studio.project(&config).with_job(job.clone());
    let model = model(folder.path());
    model.setup(&project).unwrap();
    let result = model.fit(&project, &event(Action::StartTraining)).unwrap();
    assert_eq!(
        (&result["trained_texts"], &result["held_out_texts"]),
        (&json!(48), &json!(12))
    );
    assert!(
        result["held_out_accuracy"].as_f64().unwrap() >= 0.95,
        "{result}"
    );
    assert_eq!(project.model_version().unwrap(), "BertClassifier-v0.0.2");
    let report = job.report();
    assert_eq!(report.progress, Some(1.0));
    assert!(report.log.unwrap().contains("held-out accuracy"));

    let check = |model: &BertClassifier| {
        let found = predict(model, &project, &["again zorp", "quim once more"]);
        assert_eq!([&found[0].0, &found[1].0], LABELS, "{found:?}");
        assert!(
            found.iter().all(|(_, score)| (0.5..=1.0).contains(score)),
            "{found:?}"
        );
    };
    check(&model);
    check(&load(options(), folder.path()).unwrap());
    // The folder of the original has the same model.
    let finetuned = folder.path().join("finetuned_model");
    let classifier = Classifier::read(&finetuned).unwrap();
    assert_eq!(classifier.labels(), LABELS);
    assert!(finetuned.join("model.safetensors").is_file());
    let again = model.fit(&project, &event(Action::StartTraining)).unwrap();
    assert_eq!(
        again["held_out_loss"], result["held_out_loss"],
        "the same seed, the same model"
    );
    assert_eq!(project.model_version().unwrap(), "BertClassifier-v0.0.3");
    check(&model);
}

#[test]
fn another_project_does_not_get_the_model_of_this_one() {
    let folder = tempdir().unwrap();
    let config = label_config(&LABELS);
    let studio = MockLabelStudio::start(&config, &tasks(&lessons(12)));
    let trained = studio.project(&config);
    let model = model(folder.path());
    model.fit(&trained, &event(Action::StartTraining)).unwrap();
    let body = json!({
        "tasks": [{ "data": { "text": "zorp" } }], "project": "2.1", "label_config": config,
    });
    let answer = TestClient::new(load(options(), folder.path()).unwrap()).predict(&body);
    assert_eq!(
        answer["results"][0]["model_version"],
        "BertClassifier-v0.0.1"
    );
    let untrained = Project::in_memory(&config).unwrap();
    let fresh = tempdir().unwrap();
    let expected = predict(
        &load(options(), fresh.path()).unwrap(),
        &untrained,
        &["zorp"],
    );
    assert_eq!(answer["results"][0]["score"].as_f64(), Some(expected[0].1));
}

#[test]
fn trains_when_it_is_due() {
    let folder = tempdir().unwrap();
    let config = label_config(&LABELS);
    let studio = MockLabelStudio::start(&config, &tasks(&lessons(11)));
    let project = studio.project(&config);
    let model = model(folder.path());
    let fit = |action| model.fit(&project, &event(action)).unwrap();
    let skipped = json!({ "skipped": "11 labelled tasks are not a multiple of 10" });
    assert_eq!(fit(Action::AnnotationCreated), skipped);
    assert_eq!(fit(Action::AnnotationDeleted), Value::Null);
    studio.set_tasks(&tasks(&lessons(10)));
    assert_eq!(fit(Action::AnnotationUpdated)["trained_texts"], 10);
}

#[test]
fn says_why_it_cannot_train() {
    let folder = tempdir().unwrap();
    let config = label_config(&LABELS);
    let model = model(folder.path());
    let one_label: Vec<_> = lessons(10)
        .into_iter()
        .map(|(text, _)| (text, "positive"))
        .collect();
    let cancelled = json!([{ "id": 1, "data": { "text": "zorp" }, "annotations": [
        { "was_cancelled": true, "result": annotation("positive")["result"] },
        annotation("gone"),
    ] }]);
    for tasks in [json!([]), tasks(&one_label), cancelled] {
        let studio = MockLabelStudio::start(&config, &tasks);
        let project = studio.project(&config);
        let result = model
            .fit(&project, &event(Action::AnnotationCreated))
            .unwrap();
        assert!(result["skipped"].is_string(), "{result}");
        let error = model
            .fit(&project, &event(Action::StartTraining))
            .unwrap_err();
        assert!(
            error.to_string().contains("at least two different labels"),
            "{error}"
        );
    }
}

#[test]
fn a_cancelled_training_leaves_the_version_before_it() {
    let folder = tempdir().unwrap();
    let config = label_config(&LABELS);
    let studio = MockLabelStudio::start(&config, &tasks(&lessons(12)));
    let job = JobContext::default();
    let project = studio.project(&config).with_job(job.clone());
    let model = model(folder.path());
    model.setup(&project).unwrap();
    job.cancel();
    let error = model
        .fit(&project, &event(Action::StartTraining))
        .unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
    assert_eq!(project.model_version().unwrap(), "BertClassifier-v0.0.1");
}

#[test]
fn a_trained_model_never_gives_a_label_that_is_gone() {
    let folder = tempdir().unwrap();
    let config = label_config(&LABELS);
    let studio = MockLabelStudio::start(&config, &tasks(&lessons(40)));
    let model = model(folder.path());
    model
        .fit(&studio.project(&config), &event(Action::StartTraining))
        .unwrap();
    let fewer = studio.project(&label_config(&["negative", "new"]));
    assert_eq!(
        predict(&model, &fewer, &["zorp"]),
        [("negative".to_owned(), 1.0)]
    );
    let others = studio.project(&label_config(&["cat", "dog"]));
    assert!(["cat", "dog"].contains(&predict(&model, &others, &["zorp"])[0].0.as_str()));
}

#[test]
fn a_text_of_five_megabytes_is_cut() {
    let folder = tempdir().unwrap();
    let project = Project::in_memory(&label_config(&LABELS)).unwrap();
    let model = model(folder.path());
    let long = "goal ".repeat(1_000_000);
    let found = predict(&model, &project, &[&long, &long[..5000]]);
    assert_eq!(found[0], found[1]);
}

#[test]
fn a_model_that_cannot_be_used_is_named() {
    let folder = tempdir().unwrap();
    let error = |name: &str| {
        let options = Options {
            baseline_model_name: name.to_owned(),
            ..options()
        };
        format!("{:#}", load(options, folder.path()).unwrap_err())
    };
    assert!(error("/no/such/folder").contains("BASELINE_MODEL_NAME"));
    assert!(error("owner/model").contains("HF_HUB_OFFLINE"));
    let empty = tempdir().unwrap();
    assert!(error(&empty.path().display().to_string()).contains("has no config.json"));
    // A model that a user put into the folder of the original is damaged.
    let finetuned = folder.path().join("finetuned_model");
    fs::create_dir(&finetuned).unwrap();
    for entry in fs::read_dir(fixtures().join("model")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, finetuned.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(finetuned.join("model.safetensors"), "damaged").unwrap();
    let project = Project::in_memory(&label_config(&LABELS)).unwrap();
    let tasks = vec![Task::from_value(&json!({ "data": { "text": "a" } })).unwrap()];
    let error = load(options(), folder.path())
        .unwrap()
        .predict(&project, &PredictRequest::new(tasks))
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("finetuned_model"),
        "{error:#}"
    );
}

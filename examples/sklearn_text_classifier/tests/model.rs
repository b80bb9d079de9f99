//! The model, with a mock of Label Studio.

use std::{num::NonZeroUsize, path::Path, thread};

use label_studio_ml::{
    Action, Event, JobContext, Model, PredictRequest, Project, Resources, ServerArgs, Task, Value,
    anyhow, json, serde_json, store::SqliteStore, testing::TestClient,
};
use label_studio_testing::MockLabelStudio;
use sklearn_text_classifier::{Options, SklearnTextClassifier};
use tempfile::tempdir;

const VECTORS: &str = include_str!("vectors/sklearn_text_classifier.json");

fn vectors(name: &str) -> Value {
    serde_json::from_str::<Value>(VECTORS).unwrap()[name].take()
}

fn label_config<const N: usize>(choices: [&str; N]) -> String {
    let choices = choices
        .map(|choice| format!("<Choice value=\"{choice}\"/>"))
        .concat();
    format!(
        "<View><Text name=\"text\" value=\"$text\"/>\
         <Choices name=\"sentiment\" toName=\"text\" choice=\"single\">{choices}</Choices></View>"
    )
}

fn sentiment() -> String {
    label_config(["Positive", "Negative", "Neutral"])
}

fn model(model_dir: &Path, n: usize) -> SklearnTextClassifier {
    SklearnTextClassifier::new(Options {
        model_dir: model_dir.to_owned(),
        c: 10.0,
        train_each_n_updates: NonZeroUsize::new(n).unwrap(),
    })
}

fn annotation(choice: &str) -> Value {
    json!({ "result": [{
        "from_name": "sentiment", "to_name": "text", "type": "choices", "value": { "choices": [choice] },
    }] })
}

fn task(id: usize, text: &str, annotations: &[Value]) -> Value {
    json!({ "id": id, "data": { "text": text }, "annotations": annotations })
}

/// The six texts of the recorded training, and two tasks that teach nothing.
fn recorded_tasks() -> Value {
    let trained = vectors("trained");
    let pairs: Vec<(String, usize)> = serde_json::from_value(trained["train"].clone()).unwrap();
    let label = |class: usize| trained["labels_sorted"][class].as_str().unwrap();
    let tasks = pairs
        .iter()
        .enumerate()
        .map(|(id, (text, class))| task(id, text, &[annotation(label(*class))]));
    let mut skipped = annotation("Neutral");
    skipped["was_cancelled"] = true.into();
    let useless = [
        task(6, "skipped", &[skipped]),
        task(7, "empty", &[json!({ "result": [] })]),
    ];
    tasks.chain(useless).collect()
}

fn event(action: Action) -> Event {
    Event {
        action,
        payload: json!({ "project": { "id": 1 } }),
    }
}

fn predict(
    model: &SklearnTextClassifier,
    project: &Project,
    texts: &[&str],
) -> anyhow::Result<Vec<String>> {
    let tasks = texts
        .iter()
        .map(|text| Task::from_value(&json!({ "data": { "text": text } })).unwrap());
    let answer =
        serde_json::to_value(model.predict(project, &PredictRequest::new(tasks.collect()))?)?;
    let label = |prediction: &Value| {
        prediction["result"][0]["value"]["choices"][0]
            .as_str()
            .unwrap()
            .to_owned()
    };
    Ok(answer.as_array().unwrap().iter().map(label).collect())
}

fn assert_close(answer: &Value, expected: &Value) {
    let (mut answer, mut expected) = (answer.clone(), expected.clone());
    let (results, wanted) = (
        answer["results"].as_array_mut().unwrap(),
        expected["results"].as_array_mut().unwrap(),
    );
    for (result, wanted) in results.iter_mut().zip(wanted) {
        let (score, wanted) = (result["score"].take(), wanted["score"].take());
        assert!(
            (score.as_f64().unwrap() - wanted.as_f64().unwrap()).abs() < 1e-2,
            "{score} is not {wanted}"
        );
    }
    assert_eq!(answer, expected);
}

#[test]
fn an_untrained_model_knows_the_names_of_the_labels() {
    let folder = tempdir().unwrap();
    let case = vectors("blank_predict");
    let texts: Vec<Value> = vectors("blank_probabilities")
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["text"].clone())
        .collect();
    let tasks: Vec<Value> = texts
        .iter()
        .map(|text| json!({ "data": { "text": text } }))
        .collect();
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": case["config"] });
    assert_close(
        &TestClient::new(model(folder.path(), 10)).predict(&body),
        &case["response"],
    );
}

#[test]
fn answers_recorded_events() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let client = TestClient::with_resources(
        model(folder.path(), 4),
        &ServerArgs::default(),
        studio.resources(),
    );
    for case in vectors("webhook")["cases"].as_array().unwrap() {
        let (status, answer) = client.post("/webhook", &case["body"]);
        // The original needs an annotation to know the project, and fails when a user presses
        // “Start training”.
        let is_defect = case["name"] == "start_training_without_annotation";
        let expected = if is_defect {
            json!(201)
        } else {
            case["status"].clone()
        };
        assert_eq!(expected, status, "{}: {answer}", case["name"]);
    }
}

#[test]
fn predicts_as_recorded_after_a_training() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    model(folder.path(), 4)
        .fit(&studio.project(&sentiment()), &event(Action::StartTraining))
        .unwrap();
    let tasks = json!([{ "data": { "text": "love it" } }, { "data": { "text": "hate it" } }]);
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": sentiment() });
    assert_close(
        &TestClient::new(model(folder.path(), 4)).predict(&body),
        &vectors("predict_after_training"),
    );
}

#[test]
fn returns_what_a_training_came_to() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let project = studio.project(&sentiment());
    let model = model(folder.path(), 4);
    model.setup(&project).unwrap();
    assert_eq!(
        project.model_version().unwrap(),
        "SklearnTextClassifier-v0.0.1"
    );
    let actions = [
        Action::AnnotationCreated,
        Action::AnnotationUpdated,
        Action::AnnotationDeleted,
        Action::StartTraining,
    ];
    for (n_trainings, action) in (1..).zip(actions) {
        let expected = json!({
            "trained_samples": 6,
            "classes": ["Negative", "Neutral", "Positive"],
            "train_accuracy": 1.0,
        });
        assert_eq!(model.fit(&project, &event(action)).unwrap(), expected);
        model.setup(&project).unwrap();
        let version = format!("SklearnTextClassifier-v0.0.{}", n_trainings + 1);
        assert_eq!(
            project.model_version().unwrap(),
            version,
            "setup keeps the version of a training"
        );
    }
    assert_eq!(
        predict(&model, &project, &["love it", "hate it"]).unwrap(),
        ["Positive", "Negative"]
    );
}

#[test]
fn waits_for_a_multiple_of_labelled_tasks() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let project = studio.project(&sentiment());
    let model = model(folder.path(), 3);
    let skipped = model
        .fit(&project, &event(Action::AnnotationCreated))
        .unwrap();
    assert_eq!(
        skipped,
        json!({ "skipped": "8 labelled tasks are not a multiple of 3" })
    );
    assert_eq!(
        model.fit(&project, &event(Action::StartTraining)).unwrap()["trained_samples"],
        6
    );
}

#[test]
fn says_why_it_cannot_train() {
    let folder = tempdir().unwrap();
    let model = model(folder.path(), 1);
    for tasks in [json!([]), json!([task(1, "x", &[annotation("Positive")])])] {
        let studio = MockLabelStudio::start(&sentiment(), &tasks);
        let project = studio.project(&sentiment());
        let result = model
            .fit(&project, &event(Action::AnnotationCreated))
            .unwrap();
        assert!(result["skipped"].is_string(), "{result}");
        let error = model
            .fit(&project, &event(Action::StartTraining))
            .unwrap_err()
            .to_string();
        assert!(error.contains("at least two different labels"), "{error}");
    }
    let error = model
        .fit(
            &Project::in_memory(&sentiment()).unwrap(),
            &event(Action::StartTraining),
        )
        .unwrap_err();
    assert!(error.to_string().contains("LABEL_STUDIO_URL"), "{error}");
}

#[test]
fn learns_from_the_right_regions_only() {
    let folder = tempdir().unwrap();
    let mut second_control = annotation("Neutral");
    second_control["result"].as_array_mut().unwrap().insert(
        0,
        json!({ "from_name": "topic", "to_name": "text", "type": "choices", "value": { "choices": ["Positive"] } }),
    );
    let textarea = json!({ "from_name": "sentiment", "to_name": "text", "type": "textarea", "value": { "text": ["x"] } });
    let studio = MockLabelStudio::start(
        &sentiment(),
        &json!([
            task(1, "red one", &[second_control, annotation("Positive")]),
            task(2, "green two", &[annotation("Gone")]),
            task(3, "blue three", &[json!({ "result": [textarea] }), annotation("Negative")]),
            { "id": 4, "data": { "text": null }, "annotations": [annotation("Negative")] },
            { "id": 5, "data": { "$undefined$": "white five" }, "annotations": [annotation("Negative")] },
            { "id": 6, "data": { "text": "black six" }, "annotations": null },
        ]),
    );
    let project = studio.project(&sentiment());
    let result = model(folder.path(), 1)
        .fit(&project, &event(Action::StartTraining))
        .unwrap();
    assert_eq!(result["trained_samples"], 4);
    assert_eq!(
        result["classes"],
        json!(["Negative", "Neutral", "Positive"])
    );
}

#[test]
fn a_restart_keeps_what_was_learnt() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let project = studio.project(&sentiment());
    model(folder.path(), 4)
        .fit(&project, &event(Action::StartTraining))
        .unwrap();
    let restarted = model(folder.path(), 4);
    let texts = ["bad and awful", "lovely"];
    assert_eq!(
        predict(&restarted, &project, &texts).unwrap(),
        ["Negative", "Positive"]
    );
    let version = project.model_version().unwrap();
    let trained = project.version_folder(&version).unwrap().unwrap();
    std::fs::write(trained.join("classifier.json"), "broken").unwrap();
    assert_eq!(
        predict(&restarted, &project, &texts).unwrap(),
        ["Negative", "Positive"],
        "it is read once"
    );
    let error = predict(&model(folder.path(), 4), &project, &texts)
        .unwrap_err()
        .to_string();
    assert!(error.contains("is not a trained classifier"), "{error}");
}

#[test]
fn an_activated_version_predicts_as_it_did_and_is_not_overwritten() {
    let folder = tempdir().unwrap();
    let model = model(folder.path(), 4);
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let project = studio.project(&sentiment());
    let train = || model.fit(&project, &event(Action::StartTraining)).unwrap();
    let texts = ["bad and awful", "lovely"];
    let accuracy = train()["train_accuracy"].clone();
    let first = project.model_version().unwrap();
    let trained = predict(&model, &project, &texts).unwrap();
    train();
    let second = project.model_version().unwrap();
    assert_ne!(first, second);
    // What the second training made is useless.
    let file = project
        .version_folder(&second)
        .unwrap()
        .unwrap()
        .join("classifier.json");
    std::fs::write(file, "broken").unwrap();
    project.activate_version(&first).unwrap();
    assert_eq!(predict(&model, &project, &texts).unwrap(), trained);
    train();
    let third = project.model_version().unwrap();
    assert!(third != first && third != second, "{third}");
    let published = project.version_folder(&third).unwrap().unwrap();
    let record = std::fs::read(published.join("version.json"));
    let record: Value = serde_json::from_slice(&record.unwrap()).unwrap();
    assert_eq!(record["metrics"]["train_accuracy"], accuracy);
}

#[test]
fn a_cancelled_training_leaves_the_version_before_it() {
    let folder = tempdir().unwrap();
    let model = model(folder.path(), 4);
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let job = JobContext::default();
    let project = studio.project(&sentiment()).with_job(job.clone());
    model.setup(&project).unwrap();
    let before = project.model_version().unwrap();
    job.cancel();
    let error = model
        .fit(&project, &event(Action::StartTraining))
        .unwrap_err();
    assert!(error.to_string().contains("cancelled"), "{error}");
    assert_eq!(project.model_version().unwrap(), before);
}

#[test]
fn a_classifier_never_gives_a_label_that_is_gone() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let model = model(folder.path(), 4);
    model
        .fit(&studio.project(&sentiment()), &event(Action::StartTraining))
        .unwrap();
    let more = studio.project(&label_config(["Positive", "Negative", "Neutral", "Mixed"]));
    assert_eq!(
        predict(&model, &more, &["awful", "mixed"]).unwrap()[0],
        "Negative",
        "a new label changes nothing"
    );
    let fewer = studio.project(&label_config(["Positive", "Neutral"]));
    assert_eq!(
        predict(&model, &fewer, &["neutral", "positive"]).unwrap(),
        ["Neutral", "Positive"]
    );
    let others = studio.project(&label_config(["Cat", "Dog"]));
    assert_eq!(
        predict(&model, &others, &["a dog", "my cat"]).unwrap(),
        ["Dog", "Cat"]
    );
}

#[test]
fn predicts_while_it_trains() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let project = studio.project(&sentiment());
    let model = model(folder.path(), 4);
    model.fit(&project, &event(Action::StartTraining)).unwrap();
    studio.set_tasks(&json!([
        task(1, "awful", &[annotation("Positive")]),
        task(2, "lovely", &[annotation("Negative")]),
    ]));
    let tasks_request = studio.hold_next();
    thread::scope(|scope| {
        let training = scope.spawn(|| model.fit(&project, &event(Action::StartTraining)));
        tasks_request.wait();
        assert_eq!(predict(&model, &project, &["awful"]).unwrap(), ["Negative"]);
        tasks_request.release();
        training.join().unwrap().unwrap();
    });
    assert_eq!(predict(&model, &project, &["awful"]).unwrap(), ["Positive"]);
}

#[test]
fn one_task_without_text_does_not_spoil_the_others() {
    let folder = tempdir().unwrap();
    let body = json!({
        "tasks": [{ "data": { "text": null } }, { "data": { "text": "positive" } }, { "data": { "text": ["a"] } }],
        "project": "1.1",
        "label_config": sentiment(),
    });
    let client = TestClient::new(model(folder.path(), 10));
    let answer = client.predict(&body);
    assert!(
        answer["results"][0]["error"]
            .as_str()
            .unwrap()
            .contains("no text"),
        "{answer}"
    );
    assert_eq!(
        answer["results"][1]["result"][0]["value"]["choices"],
        json!(["Positive"])
    );
    assert!(
        answer["results"][2]["error"]
            .as_str()
            .unwrap()
            .contains("not a text"),
        "{answer}"
    );
    let empty = json!({ "tasks": [], "project": "1.1", "label_config": sentiment() });
    assert_eq!(client.predict(&empty), json!({ "results": [] }));
}

#[test]
fn of_two_servers_on_one_folder_each_uses_what_the_other_has_trained() {
    let folder = tempdir().unwrap();
    let studio = MockLabelStudio::start(&sentiment(), &recorded_tasks());
    let server = || {
        let resources = Resources {
            store: Box::new(SqliteStore::new(folder.path())),
            ..studio.resources()
        };
        TestClient::with_resources(model(folder.path(), 4), &ServerArgs::default(), resources)
    };
    let (one, two) = (server(), server());
    let tasks = json!([{ "data": { "text": "hate it" } }, { "data": { "text": "love it" } }]);
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": sentiment() });
    let label = |client: &TestClient| {
        let answer = client.predict(&body);
        let text = |pointer: &str| {
            answer
                .pointer(pointer)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        [
            text("/results/0/model_version"),
            text("/results/0/result/0/value/choices/0"),
            text("/results/1/result/0/value/choices/0"),
        ]
    };
    let untrained = label(&two);
    assert_eq!(untrained[0], "SklearnTextClassifier-v0.0.1");
    let project = json!({ "id": 1, "label_config": sentiment() });
    let event = json!({ "action": "START_TRAINING", "project": project });
    assert_eq!(one.post("/webhook", &event).0, 201);
    // On a busy machine the training goes on after its answer.
    while label(&one)[0] == untrained[0] {
        thread::yield_now();
    }
    let trained = ["SklearnTextClassifier-v0.0.2", "Negative", "Positive"];
    assert_eq!(label(&one), trained);
    assert_eq!(label(&two), trained, "not the untrained weights");
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let folder = tempdir().unwrap();
    let client = TestClient::new(model(folder.path(), 4));
    let single = label_config(["Only"]);
    let labels = single.replace("Choices", "Labels");
    for (schema, reason) in [
        (single.as_str(), "needs at least two choices"),
        (labels.as_str(), "no <Choices> control on a <Text> object"),
    ] {
        let body = json!({ "project": "1.1", "schema": schema });
        let (status, answer) = client.post("/setup", &body);
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(
            status == 422 && detail.contains(reason),
            "{status} {answer}"
        );
    }
}

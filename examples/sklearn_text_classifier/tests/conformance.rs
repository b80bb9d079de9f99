//! What Label Studio needs of every backend.

use std::{num::NonZeroUsize, thread};

use label_studio_ml::{ServerArgs, Value, json, testing::TestClient};
use label_studio_testing::{MockLabelStudio, check_backend, check_repeater};
use sklearn_text_classifier::{Options, SklearnTextClassifier};
use tempfile::tempdir;

const CONFIG: &str = r#"<View><Text name="text" value="$text"/><Choices name="mood" toName="text">
  <Choice value="Good"/><Choice value="Bad"/></Choices></View>"#;
const PAGES: &str = r#"<View><Repeater on="$pages"><Text name="page_{{idx}}" value="$pages[{{idx}}]"/>
  <Choices name="mood_{{idx}}" toName="page_{{idx}}"><Choice value="Good"/><Choice value="Bad"/></Choices></Repeater></View>"#;

fn model(folder: &std::path::Path) -> SklearnTextClassifier {
    SklearnTextClassifier::new(Options {
        model_dir: folder.to_owned(),
        c: 10.0,
        train_each_n_updates: NonZeroUsize::MIN,
    })
}

#[test]
fn label_studio_stores_every_answer() {
    let folder = tempdir().unwrap();
    let client = TestClient::new(model(folder.path()));
    let tasks = ["a fine day", "rain"].map(|text| json!({ "id": 1, "data": { "text": text } }));
    check_backend(&client, CONFIG, &tasks);
    let body = json!({ "tasks": tasks[..1], "project": "1.1", "label_config": CONFIG });
    check_repeater(&client, &body);
}

#[test]
fn each_entry_of_a_repeater_is_learnt_and_predicted() {
    let chosen = |idx: usize, mood: &str| json!({ "from_name": format!("mood_{idx}"), "to_name": format!("page_{idx}"), "type": "choices", "value": { "choices": [mood] } });
    let task = json!({
        "id": 1, "data": { "pages": ["sunny and warm", "cold dark rain"] },
        "annotations": [{ "id": 1, "result": [chosen(0, "Good"), chosen(1, "Bad")] }],
    });
    let label_studio = MockLabelStudio::start(PAGES, &json!([task]));
    let folder = tempdir().unwrap();
    let (args, resources) = (ServerArgs::default(), label_studio.resources());
    let client = TestClient::with_resources(model(folder.path()), &args, resources);
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": PAGES } });
    let (status, answer) = client.post("/webhook", &event);
    assert_eq!(status, 201, "{answer}");

    let data = json!({ "pages": ["dark rain", "warm", "cold"] });
    let request =
        json!({ "tasks": [{ "id": 2, "data": data }], "project": "1.1", "label_config": PAGES });
    let mut answer = client.predict(&request);
    // On a busy machine the training goes on after its answer.
    while answer["results"][0]["model_version"] == "SklearnTextClassifier-v0.0.1" {
        thread::yield_now();
        answer = client.predict(&request);
    }
    let regions = answer["results"][0]["result"].as_array().unwrap();
    let found: Vec<_> = regions
        .iter()
        .map(|region| [&region["from_name"], &region["value"]["choices"][0]])
        .map(|pair: [&Value; 2]| pair.map(|text| text.as_str().unwrap().to_owned()))
        .collect();
    let expected = [["mood_0", "Bad"], ["mood_1", "Good"], ["mood_2", "Bad"]];
    assert_eq!(found, expected.map(|pair| pair.map(str::to_owned)));
}

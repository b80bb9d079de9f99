//! The model, with tiny random weights.

use std::{
    fs,
    path::{Path, PathBuf},
};

use huggingface_llm::{ChatTemplate, HuggingFaceLLM, Options};
use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_ml::{
    Action, Event, Model, Project, Value, anyhow, json, serde_json, testing::TestClient,
};
use label_studio_testing::check_backend;
use tempfile::{TempDir, tempdir};

const PLAIN: &str = r#"<View><Text name="input_text" value="$text"/><TextArea name="generated_text" toName="input_text"/></View>"#;
const PROMPTED: &str = r#"<View><Text name="text" value="$text"/><TextArea name="Prompt" toName="text"/>
  <TextArea name="answer" toName="text"/></View>"#;
const CHAT: &str = "{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}[assistant]";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn options() -> Options {
    Options {
        model_name: fixtures().join("model").display().to_string(),
        max_length: Some(80.try_into().unwrap()),
        ..Options::default()
    }
}

/// Options that limit the answer alone.
fn short(n_tokens: usize) -> Options {
    Options {
        max_length: None,
        max_new_tokens: Some(n_tokens.try_into().unwrap()),
        ..options()
    }
}

fn load(options: Options) -> anyhow::Result<HuggingFaceLLM> {
    let hub = Hub::new(HubOptions {
        is_offline: true,
        ..HubOptions::default()
    })?;
    HuggingFaceLLM::load(options, &hub)
}

fn client(options: Options) -> TestClient {
    TestClient::new(load(options).unwrap())
}

/// Returns the results of a request.
fn predict(client: &TestClient, label_config: &str, texts: &[&str]) -> Vec<Value> {
    let tasks: Vec<_> = texts
        .iter()
        .map(|text| json!({ "data": { "text": text, "other": 7 } }))
        .collect();
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": label_config });
    let mut answer = client.predict(&body);
    serde_json::from_value(answer["results"].take()).unwrap()
}

fn texts(prediction: &Value) -> Vec<String> {
    let regions = prediction["result"].as_array().unwrap();
    serde_json::from_value(regions[0]["value"]["text"].clone()).unwrap()
}

fn text(prediction: &Value) -> String {
    texts(prediction).remove(0)
}

/// Copies the model, with a chat template.
fn chat_model() -> TempDir {
    let folder = tempdir().unwrap();
    for entry in fs::read_dir(fixtures().join("model")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    fs::write(folder.path().join("chat_template.jinja"), CHAT).unwrap();
    folder
}

fn expected() -> Vec<Value> {
    let json = fs::read(fixtures().join("expected.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn continuations_and_scores_are_those_of_transformers() {
    let expected = expected();
    let prompts: Vec<&str> = expected
        .iter()
        .map(|case| case["text"].as_str().unwrap())
        .collect();
    let predictions = predict(&client(options()), PLAIN, &prompts);
    assert_eq!(predictions.len(), expected.len());
    for (prediction, case) in predictions.iter().zip(&expected) {
        assert_eq!(text(prediction), case["continuation"], "{}", case["text"]);
        let difference = prediction["score"].as_f64().unwrap() - case["score"].as_f64().unwrap();
        assert!(difference.abs() < 1e-4, "{prediction}");
    }
}

#[test]
fn the_answer_to_the_originals_test_has_its_form() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/test_api_cases.json");
    let cases: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let client = client(options());
    for case in cases {
        let (status, mut answer) = client.post("/predict", &case["request"]);
        assert_eq!(status, case["expected_status"], "{answer}");
        let mut wanted = case["expected"].clone();
        for answer in [&mut answer, &mut wanted] {
            let prediction = &mut answer["results"][0];
            // The weights are others.
            let text = prediction["result"][0]["value"]["text"][0].take();
            assert!(!text.as_str().unwrap().is_empty());
            assert!((0.0..=1.0).contains(&prediction["score"].take().as_f64().unwrap()));
        }
        assert_eq!(answer, wanted);
    }
}

#[test]
fn it_is_a_backend() {
    let tasks = ["", "One", "🙂"].map(|text| json!({ "data": { "text": text } }));
    for prediction in check_backend(&client(short(5)), PLAIN, &tasks) {
        assert_eq!(prediction["model_version"], "HuggingFaceLLM-v0.0.1");
    }
}

#[test]
fn a_task_that_cannot_be_answered_costs_no_other_task_its_answer() {
    let client = client(options());
    // More than MAX_LENGTH, less than the context.
    let long = "x".repeat(85);
    let huge = "word ".repeat(1 << 18);
    let tasks = [
        json!({ "id": 1, "data": { "text": long } }),
        json!({ "id": 2, "data": { "text": "One" } }),
        json!({ "id": 3, "data": {} }),
        json!({ "id": 4, "data": { "text": huge } }),
        json!({ "id": 5, "data": { "text": null } }),
    ];
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": PLAIN });
    let results = client.predict(&body)["results"].take();
    assert_eq!(text(&results[1]), expected()[2]["continuation"]);
    for idx in [0, 2, 3, 4] {
        assert_ne!(
            results[idx]["result"][0]["type"], "textarea",
            "{}",
            results[idx]
        );
    }
    let alone = json!({ "tasks": [tasks[0]], "project": "1.1", "label_config": PLAIN });
    let (status, answer) = client.post("/predict", &alone);
    assert!(
        answer.to_string().contains("MAX_NEW_TOKENS"),
        "{status} {answer}"
    );
}

#[test]
fn without_settings_a_continuation_has_the_length_of_the_original() {
    let client = client(Options {
        max_length: None,
        ..options()
    });
    let all = text(&predict(&client, PLAIN, &["One"])[0]);
    let longer = expected()[2]["continuation"].as_str().unwrap().to_owned();
    assert!(
        longer.starts_with(&all) && longer.len() > all.len(),
        "{all}"
    );
}

#[test]
fn a_typed_prompt_is_put_into_the_template_and_remembered() {
    let client = client(short(6));
    assert_eq!(
        predict(&client, PROMPTED, &["One"]),
        Vec::<Value>::new(),
        "nothing to ask"
    );
    let context = json!({ "result": [{
        "from_name": "Prompt", "to_name": "text", "type": "textarea",
        "value": { "text": ["Count", "it"] },
    }] });
    let body = json!({
        "tasks": [{ "id": 1, "data": { "text": "One" } }], "project": "1.1",
        "label_config": PROMPTED, "params": { "context": context },
    });
    let typed = client.predict(&body)["results"].take();
    let typed = typed.get(0).unwrap_or(&typed);
    let regions = typed["result"].as_array().unwrap();
    assert_eq!(regions[0]["from_name"], "answer", "{typed}");
    assert_eq!(regions[1]["from_name"], "Prompt");
    assert_eq!(regions[1]["value"]["text"], json!(["Count", "it"]));

    // The same words, put together by hand.
    let question = "**Source Text**:\n\n\"One\"\n\n**Task Directive**:\n\n\"Count\nit\"";
    assert_eq!(text(typed), text(&predict(&client, PLAIN, &[question])[0]));
}

#[test]
fn the_prompt_of_an_annotation_is_used_for_further_tasks() {
    let model = load(short(6)).unwrap();
    let project = Project::in_memory(PROMPTED).unwrap();
    model.setup(&project).unwrap();
    let event = |text: &str| Event {
        action: Action::AnnotationCreated,
        payload: json!({ "project": { "id": 1 }, "annotation": { "result": [{
            "from_name": "Prompt", "to_name": "text", "type": "textarea", "value": { "text": [text] },
        }] } }),
    };
    model.fit(&project, &event("Count it")).unwrap();
    assert_eq!(project.get("Prompt").unwrap().as_deref(), Some("Count it"));
    let version = project.model_version().unwrap();
    assert_ne!(version, "HuggingFaceLLM-v0.0.1");
    model.fit(&project, &event("Count it")).unwrap();
    assert_eq!(
        project.model_version().unwrap(),
        version,
        "the same prompt is no new version"
    );
}

#[test]
fn a_default_prompt_is_a_template_of_the_tasks_fields() {
    let mut options = short(6);
    options.template.use_internal_prompt_template = false;
    options.template.prompt.default_prompt = Some("{other} times {text}:".to_owned());
    let asked = client(options);
    let plain = client(short(6));
    let by_hand = text(&predict(&plain, PLAIN, &["7 times One:"])[0]);
    assert_eq!(text(&predict(&asked, PLAIN, &["One"])[0]), by_hand);
    assert_eq!(text(&predict(&asked, PROMPTED, &["One"])[0]), by_hand);
}

#[test]
fn a_model_with_a_chat_template_gets_a_conversation() {
    let folder = chat_model();
    let options = Options {
        model_name: folder.path().display().to_string(),
        system_prompt: Some("Be brief".to_owned()),
        ..short(8)
    };
    let model = client(options.clone());
    let answer = text(&predict(&model, PLAIN, &["One"])[0]);
    let off = client(Options {
        chat_template: ChatTemplate::Off,
        ..options
    });
    assert_eq!(
        text(&predict(&off, PLAIN, &["One"])[0]),
        text(&predict(&client(short(8)), PLAIN, &["One"])[0])
    );
    assert_ne!(text(&predict(&off, PLAIN, &["One"])[0]), answer);

    let error = load(Options {
        chat_template: ChatTemplate::On,
        ..short(8)
    });
    let error = format!("{:#}", error.unwrap_err());
    assert!(
        error.contains("chat template") && error.contains("CHAT_TEMPLATE=off"),
        "{error}"
    );
}

#[test]
fn several_answers_are_several_texts_of_one_region() {
    let options = Options {
        num_responses: 3.try_into().unwrap(),
        temperature: Some(1.2),
        seed: 5,
        ..short(8)
    };
    let all = predict(&client(options.clone()), PLAIN, &["One", "Two"]);
    assert_eq!(texts(&all[0]).len(), 3);
    assert_eq!(
        all,
        predict(&client(options.clone()), PLAIN, &["One", "Two"])
    );
    let error = load(Options {
        temperature: None,
        ..options
    });
    assert!(format!("{:#}", error.unwrap_err()).contains("temperature"));
}

#[test]
fn a_stop_text_ends_the_answer() {
    let whole = expected()[2]["continuation"].as_str().unwrap().to_owned();
    let stop: String = whole.chars().skip(5).take(2).collect();
    let client = client(Options {
        stop: Some(json!([stop]).to_string()),
        ..options()
    });
    let cut = text(&predict(&client, PLAIN, &["One"])[0]);
    assert_eq!(cut, whole[..whole.find(&stop).unwrap()].trim());
}

#[test]
fn folders_that_are_no_model_are_refused_with_the_setting_named() {
    let folder = chat_model();
    let refused = |expected: &str| {
        let error = load(Options {
            model_name: folder.path().display().to_string(),
            ..options()
        });
        let error = format!("{:#}", error.unwrap_err());
        assert!(
            error.contains("MODEL_NAME") && error.contains(expected),
            "{error}"
        );
    };
    let file = |name: &str| folder.path().join(name);
    fs::rename(file("model.safetensors"), file("pytorch_model.bin")).unwrap();
    refused("pickle");
    fs::rename(file("pytorch_model.bin"), file("model.safetensors")).unwrap();
    fs::remove_file(file("tokenizer.json")).unwrap();
    refused("tokenizer.json");
    fs::write(file("config.json"), r#"{ "model_type": "bert" }"#).unwrap();
    fs::write(file("tokenizer.json"), "{}").unwrap();
    refused("bert");
}

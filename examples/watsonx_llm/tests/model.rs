//! Prompts become questions, answers become regions.

mod mock;

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _};

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::{Answer, MockService, Received, check_backend, check_repeater};
use mock::{generated, options, watsonx};
use watsonx_llm::{WatsonXModel, model_id};

const CONFIG: &str = r#"<View>
    <Text name="context" value="$text"/>
    <TextArea name="prompt" toName="context" rows="4" editable="true" maxSubmissions="1" showSubmitButton="false"/>
    <TextArea name="response" toName="context" rows="4" editable="true" maxSubmissions="1" smart="false"/>
    <Rating name="rating" toName="context"/>
</View>"#;
const CHOICES: &str = r#"<View>
    <Text name="Text" value="$text"/>
    <TextArea name="Prompt-1" toName="Text"/>
    <Choices name="topic" toName="Text" choice="CHOICE"><Choice value="sports"/><Choice value="politics"/></Choices>
</View>"#;

/// Answers every question with one text.
fn saying(text: &'static str) -> MockService {
    watsonx(move |_| generated(text))
}

fn client(service: &MockService, more: &[&str]) -> TestClient {
    TestClient::new(WatsonXModel::new(options(service, more), NetworkOptions::default()).unwrap())
}

/// The bodies of all questions so far.
fn questions(service: &MockService) -> Vec<Value> {
    let received = service.received_at("/ml/v1/text/generation");
    received.iter().map(Received::json).collect()
}

fn context(control: &str, lines: &[&str]) -> Value {
    json!({ "result": [{ "from_name": control, "to_name": "context", "type": "textarea", "value": { "text": lines } }] })
}

fn predict(config: &str, data: &Value, context: &Value) -> Value {
    json!({
        "tasks": [{ "id": 1, "data": data }],
        "project": "1.1",
        "label_config": config,
        "params": { "context": context },
    })
}

fn values(answer: &Value) -> Vec<(Value, Value)> {
    let regions = answer["results"][0]["result"].as_array().unwrap();
    regions
        .iter()
        .map(|region| (region["from_name"].clone(), region["value"].clone()))
        .collect()
}

#[test]
fn a_repeater_is_answered_for_each_of_its_entries() {
    let service = saying("sports");
    let flags = [
        "--use-internal-prompt-template",
        "0",
        "--default-prompt",
        "{text}",
    ];
    let client = client(&service, &flags);
    for context in [context("prompt", &["What?"]), json!(null)] {
        check_repeater(&client, &predict(CONFIG, &json!({ "text": "T" }), &context));
    }
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let service = saying("sports");
    let client = client(&service, &[]);
    let without_output =
        r#"<View><Text name="t" value="$t"/><TextArea name="prompt" toName="t"/></View>"#;
    let without_prompt = CONFIG.replace("\"prompt\"", "\"question\"");
    for (label_config, expected) in [
        (CONFIG, None),
        (
            &*without_prompt,
            Some("no <TextArea> whose name starts with \"prompt\""),
        ),
        (
            without_output,
            Some("neither a <Choices> nor a second <TextArea> on \"t\""),
        ),
    ] {
        let body = json!({ "project": "1.1", "schema": label_config });
        let (status, answer) = client.post("/setup", &body);
        assert_eq!(status, if expected.is_some() { 422 } else { 200 });
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(expected.unwrap_or_default()), "{answer}");
    }
}

#[test]
fn the_default_prompt_of_the_originals_test_is_asked() {
    let service = saying("this is a test");
    let flags = [
        "--use-internal-prompt-template",
        "0",
        "--default-prompt",
        "Classify: {text} as {labels} or {other} {{x}}",
    ];
    let text = "Long text to be classified into one of the topics.";
    let request = json!({ "tasks": [{ "data": { "text": text } }], "label_config": CONFIG });
    let answer = client(&service, &flags).predict(&request);
    let question = &questions(&service)[0];
    assert_eq!(
        *question,
        json!({
            "model_id": "ibm/granite-13b-chat-v2",
            "input": format!("Classify: {text} as None or {{other}} {{{{x}}}}"),
            "parameters": { "max_new_tokens": 50 },
            "project_id": "project-1",
        })
    );
    let prediction = &answer["results"][0];
    assert_eq!(prediction["model_version"], "WatsonXModel-v0.0.1");
    assert_eq!(prediction["score"], 0.1);
    assert_eq!(
        values(&answer)[0],
        (json!("response"), json!({ "text": ["this is a test"] }))
    );
    let request = &service.received_at("/ml/v1/text/generation")[0];
    assert_eq!(request.header("authorization"), Some("Bearer token-1"));
    assert_eq!(request.query("version").as_deref(), Some("2024-10-10"));
}

#[test]
fn the_typed_prompt_is_put_into_the_internal_template() {
    let service = saying("Paris");
    let body = predict(
        CONFIG,
        &json!({ "text": "France {labels}" }),
        &context("prompt", &["What is", "the capital? {text}"]),
    );
    let answer = client(&service, &[]).predict(&body);
    let expected = "**Source Text**:\n\n\"France {labels}\"\n\n**Task Directive**:\n\n\"What is\nthe capital? {text}\"";
    assert_eq!(questions(&service)[0]["input"], expected);
    let regions = answer["results"][0]["result"].as_array().unwrap();
    assert_eq!(regions.len(), 2);
    for (region, (name, text)) in regions.iter().zip([
        ("response", json!(["Paris"])),
        ("prompt", json!(["What is", "the capital? {text}"])),
    ]) {
        assert_eq!(region["id"].as_str().map(str::len), Some(36));
        assert_eq!(region["from_name"], name);
        assert_eq!(region["to_name"], "context");
        assert_eq!(region["type"], "textarea");
        assert_eq!(region["value"], json!({ "text": text }));
    }
}

#[test]
fn missing_choices_are_none() {
    let service = saying("x");
    let flags = ["--prompt-template", "{text}|{labels}|{prompt}|{unknown}"];
    let data = json!({ "text": "T" });
    client(&service, &flags).predict(&predict(CONFIG, &data, &context("prompt", &["p"])));
    assert_eq!(questions(&service)[0]["input"], "T|None|p|{unknown}");
}

#[test]
fn nothing_is_asked_about_a_task_without_text() {
    for flags in [&[][..], &["--use-internal-prompt-template", "0"]] {
        for (data, expected) in [
            (json!({}), "no data field \"text\""),
            (json!({ "text": null }), "\"text\" of the task is null"),
        ] {
            let service = saying("x");
            let prompt = context("prompt", &["About {text}"]);
            let body = predict(CONFIG, &data, &prompt);
            let (status, answer) = client(&service, flags).post("/predict", &body);
            let detail = answer["detail"].as_str().unwrap();
            assert_eq!(status, 500);
            assert!(detail.contains(expected), "{detail}");
            assert!(questions(&service).is_empty(), "nothing is paid for");
        }
        let service = saying("x");
        let data = json!({ "$undefined$": "T" });
        client(&service, flags).predict(&predict(CONFIG, &data, &context("prompt", &["{text}"])));
        let input = questions(&service)[0]["input"].clone();
        assert!(input.as_str().unwrap().contains('T'), "{input}");
        assert!(!input.as_str().unwrap().contains("None"), "{input}");
    }
}

#[test]
fn answers_are_matched_with_the_choices() {
    let service = saying("Sport\npolitic");
    let flags = ["--use-internal-prompt-template", "0"];
    let body = |choice: &str| {
        let config = CHOICES.replace("CHOICE", choice);
        predict(
            &config,
            &json!({ "text": "T" }),
            &context("Prompt-1", &["{labels}: {text}"]),
        )
    };
    let answer = client(&service, &flags).predict(&body("multiple"));
    assert_eq!(questions(&service)[0]["input"], "['sports', 'politics']: T");
    assert_eq!(
        values(&answer)[0],
        (json!("topic"), json!({ "choices": ["sports", "politics"] }))
    );
    let answer = client(&service, &flags).predict(&body("single"));
    assert_eq!(values(&answer)[0].1, json!({ "choices": ["sports"] }));
}

#[test]
fn without_a_prompt_nothing_is_asked() {
    let service = saying("x");
    let nothing = json!({ "results": [] });
    for context in [
        json!(null),
        json!({}),
        json!({ "result": [] }),
        context("other", &["p"]),
    ] {
        let body = predict(CONFIG, &json!({ "text": "T" }), &context);
        assert_eq!(
            client(
                &service,
                &["--default-prompt", "not with the internal template"]
            )
            .predict(&body),
            nothing
        );
    }
    assert!(service.received().is_empty());
}

#[test]
fn the_prompt_of_an_annotation_is_remembered_with_a_version_of_its_own() {
    let service = saying("x");
    let client = client(&service, &[]);
    let event = |lines: &[&str]| {
        json!({
            "action": "ANNOTATION_CREATED",
            "project": { "id": 1, "label_config": CONFIG },
            "annotation": context("prompt", lines),
        })
    };
    for lines in [&["Say it", "twice"][..], &[], &["Say it", "twice"]] {
        assert_eq!(client.post("/webhook", &event(lines)).0, 201);
    }
    let answer = client.predict(&predict(CONFIG, &json!({ "text": "T" }), &json!(null)));
    assert_eq!(answer["results"][0]["model_version"], "WatsonXModel-v0.1.0");
    assert_eq!(values(&answer)[1].1, json!({ "text": ["Say it\ntwice"] }));
}

#[test]
fn paragraphs_are_asked_about_as_json() {
    let config = r#"<View><Paragraphs name="chat" value="$dialogue" layout="dialogue"/>
        <TextArea name="prompt" toName="chat"/><TextArea name="answer" toName="chat"/></View>"#;
    let service = saying("x");
    let data = json!({ "dialogue": [{ "role": "user", "content": "Ünï" }] });
    client(&service, &["--prompt-template", "{text}"]).predict(&predict(
        config,
        &data,
        &context("prompt", &["p"]),
    ));
    assert_eq!(
        questions(&service)[0]["input"],
        r#"[{"role": "user", "content": "\u00dcn\u00ef"}]"#
    );
}

const IMAGE: &str = r#"<View><Image name="image" value="$image"/>
    <TextArea name="prompt" toName="image"/><TextArea name="answer" toName="image"/></View>"#;
/// One pixel.
const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

#[test]
fn small_images_go_to_chat_models_as_they_are() {
    let service = watsonx(|request| {
        assert_eq!(request.path(), "/ml/v1/text/chat");
        Answer::json(
            &json!({ "choices": [{ "message": { "role": "assistant", "content": "A cat" } }] }),
        )
    });
    let flags = [
        "--watsonx-endpoint",
        "chat",
        "--prompt-template",
        "{prompt}",
        "--watsonx-parameters",
        r#"{"temperature": 0}"#,
    ];
    let data = json!({ "image": PNG });
    let answer =
        client(&service, &flags).predict(&predict(IMAGE, &data, &context("prompt", &["What?"])));
    assert_eq!(values(&answer)[0].1, json!({ "text": ["A cat"] }));
    let content = json!([
        { "type": "text", "text": "What?" },
        { "type": "image_url", "image_url": { "url": PNG } },
    ]);
    let expected = json!({
        "model_id": "ibm/granite-13b-chat-v2",
        "messages": [{ "role": "user", "content": content }],
        "max_tokens": 50,
        "project_id": "project-1",
        "temperature": 0,
    });
    assert_eq!(service.received_at("/ml/v1/text/chat")[0].json(), expected);
}

#[test]
fn other_models_get_the_text_of_images() {
    let folder = tempfile::tempdir().unwrap();
    let tesseract = folder.path().join("tesseract");
    fs::write(&tesseract, "#!/bin/sh\ncat > /dev/null\necho words in $4\n").unwrap();
    fs::set_permissions(&tesseract, fs::Permissions::from_mode(0o755)).unwrap();
    let service = saying("x");
    let flags = [
        "--tesseract-cmd",
        tesseract.to_str().unwrap(),
        "--ocr-language",
        "deu",
        "--prompt-template",
        "{prompt} {text}",
    ];
    let data = json!({ "image": PNG });
    client(&service, &flags).predict(&predict(IMAGE, &data, &context("prompt", &["What?"])));
    assert_eq!(questions(&service)[0]["input"], "What? words in deu");
}

#[test]
fn a_default_prompt_can_be_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"From a file: {text}").unwrap();
    let service = saying("x");
    let path = file.path().to_str().unwrap();
    let flags = [
        "--use-internal-prompt-template",
        "0",
        "--default-prompt",
        path,
    ];
    client(&service, &flags).predict(&predict(CONFIG, &json!({ "text": "T" }), &json!(null)));
    assert_eq!(questions(&service)[0]["input"], "From a file: T");
    fs::remove_file(path).unwrap();
}

#[test]
fn a_failing_task_does_not_lose_the_others() {
    let service = watsonx(|request| {
        if request.text().contains("T2") {
            Answer::json(&json!({ "errors": [{ "message": "too long" }] })).with_status(400)
        } else {
            generated(request.json()["input"].as_str().unwrap())
        }
    });
    let tasks: Vec<_> = (0..6)
        .map(|n| json!({ "id": n, "data": { "text": format!("T{n}") } }))
        .collect();
    let mut body = predict(CONFIG, &json!({}), &context("prompt", &["p"]));
    body["tasks"] = tasks.into();
    let answer = client(&service, &["--prompt-template", "{text}"]).predict(&body);
    for n in [0, 1, 3, 4, 5] {
        assert_eq!(
            answer["results"][n]["result"][0]["value"]["text"][0],
            format!("T{n}")
        );
    }
    assert!(
        answer["results"][2]["error"]
            .as_str()
            .unwrap()
            .contains("too long")
    );
}

#[test]
fn prompts_and_data_cannot_reach_into_each_other() {
    let service = saying("x");
    let flags = ["--use-internal-prompt-template", "0"];
    let huge = "{ ".repeat(1 << 19);
    for (prompt, data, expected) in [
        (
            "{text} {secret} {0} {text.__class__}",
            json!({ "text": "{labels}{prompt}" }),
            "{labels}{prompt} {secret} {0} {text.__class__}",
        ),
        (
            "as JSON: {\"a\": {text}}",
            json!({ "text": "1" }),
            "as JSON: {\"a\": 1}",
        ),
        (&huge, json!({}), &huge),
        (
            "{a} {b}",
            json!({ "a": [1, "x"], "b": null }),
            "[1, 'x'] None",
        ),
    ] {
        client(&service, &flags).predict(&predict(CONFIG, &data, &context("prompt", &[prompt])));
        assert!(
            questions(&service).last().unwrap()["input"] == *expected,
            "{prompt:.40}"
        );
    }
}

#[test]
fn missing_settings_are_named_when_they_are_needed() {
    let service = saying("x");
    let body = predict(CONFIG, &json!({ "text": "T" }), &context("prompt", &["p"]));
    for (flag, name) in [
        ("--watsonx-project-id", "WATSONX_PROJECT_ID"),
        ("--watsonx-modeltype", "WATSONX_MODELTYPE"),
        ("--watsonx-api-key", "WATSONX_API_KEY"),
    ] {
        let mut options = options(&service, &[]);
        match flag {
            "--watsonx-project-id" => options.watsonx.watsonx_project_id = None,
            "--watsonx-modeltype" => options.watsonx.watsonx_modeltype = Some(String::new()),
            _ => options.watsonx.watsonx_api_key = None,
        }
        let client =
            TestClient::new(WatsonXModel::load(options, NetworkOptions::default()).unwrap());
        let (status, answer) = client.post("/predict", &body);
        assert_eq!(status, 500);
        assert!(
            answer["detail"].as_str().unwrap().contains(name),
            "{answer}"
        );
        let setup = json!({ "project": "1.1", "schema": CONFIG });
        assert_eq!(
            client.post("/setup", &setup).1["model_version"],
            "WatsonXModel-v0.0.1"
        );
    }
    assert!(service.received().is_empty());
}

#[test]
fn the_model_is_checked_once_at_the_start() {
    let service = saying("x");
    WatsonXModel::load(options(&service, &[]), NetworkOptions::default()).unwrap();
    assert_eq!(
        service.received_at("/ml/v1/foundation_model_specs").len(),
        1
    );
    let mut other = options(&service, &[]);
    other.watsonx.watsonx_modeltype = Some("ibm/no-such-model".to_owned());
    let error = format!(
        "{:#}",
        WatsonXModel::load(other.clone(), NetworkOptions::default()).unwrap_err()
    );
    assert!(
        error.contains("ibm/no-such-model") && error.contains("google/flan-ul2"),
        "{error}"
    );
    other.watsonx.watsonx_check_model = false;
    WatsonXModel::load(other, NetworkOptions::default()).unwrap();
    let away = MockService::start(|_| Answer::status(404));
    WatsonXModel::load(options(&away, &[]), NetworkOptions::default()).unwrap();
}

#[test]
fn models_are_named_by_id_or_as_in_ibms_library() {
    for (name, id) in [
        ("GRANITE_13B_CHAT_V2", "ibm/granite-13b-chat-v2"),
        ("FLAN_UL2", "google/flan-ul2"),
        ("LLAMA_3_70B_INSTRUCT", "meta-llama/llama-3-70b-instruct"),
        ("ibm/granite-3-8b-instruct", "ibm/granite-3-8b-instruct"),
    ] {
        assert_eq!(model_id(name).unwrap(), id);
    }
    let error = model_id("GPT").unwrap_err().to_string();
    assert!(error.contains("FLAN_UL2"), "{error}");
}

#[test]
fn label_studio_stores_the_predictions() {
    let service = saying("sports");
    let flags = [
        "--use-internal-prompt-template",
        "0",
        "--default-prompt",
        "About {text}",
    ];
    let config = CHOICES.replace("CHOICE", "single");
    let task = |id: u64, text: &str| json!({ "id": id, "data": { "text": text } });
    let tasks = [task(1, "a"), task(2, "b")];
    let predictions = check_backend(&client(&service, &flags), &config, &tasks);
    assert_eq!(predictions[1]["result"].as_array().unwrap().len(), 2);
}

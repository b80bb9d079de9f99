//! What the model is asked.

use label_studio_ml::json;
use label_studio_testing::{check_backend, check_repeater};

use crate::mock::{
    RESPONSE, TOPIC, asked, backend, batch, default_prompt, label_config, question, saying, value,
};

const OWN_TEMPLATE: [&str; 2] = ["--use-internal-prompt-template", "0"];

/// Asks about a text and returns the question that the chat model gets.
fn asks(flags: &[&str], text: &str, prompt: &str) -> String {
    let chat_model = saying("sports");
    let backend = backend(&chat_model, flags);
    let config = label_config(TOPIC);
    let data = json!({ "text": text, "author": "Ada {labels}", "n": 3, "tags": ["a", true, null] });
    backend.predict(&asked(&config, &data, prompt));
    question(&chat_model)
}

#[test]
fn a_repeater_is_answered_for_each_of_its_entries() {
    let chat_model = saying("sports");
    let backend = backend(&chat_model, &default_prompt("{text}"));
    let config = label_config(TOPIC);
    check_repeater(&backend, &asked(&config, &json!({ "text": "T" }), "{text}"));
    check_repeater(&backend, &batch(&config, &["T"]));
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let chat_model = saying("sports");
    let backend = backend(&chat_model, &[]);
    let without_prompt = label_config(TOPIC).replace("prompt", "question");
    for (label_config, expected) in [
        (label_config(TOPIC), None),
        (
            without_prompt,
            Some("no <TextArea> whose name starts with \"prompt\" to type a prompt into"),
        ),
        (
            label_config(""),
            Some("the label config has nothing to fill"),
        ),
    ] {
        let body = json!({ "project": "1.1", "schema": label_config });
        let (status, answer) = backend.post("/setup", &body);
        assert_eq!(status, if expected.is_some() { 422 } else { 200 });
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(expected.unwrap_or_default()), "{answer}");
    }
}

#[test]
fn only_known_fields_of_a_prompt_are_replaced() {
    let labels = "['sports', 'politics', 'technology']";
    let cases = [
        ("{text}: {labels}", format!("T: {labels}")),
        (
            "{author} {n} {tags}",
            "Ada {labels} 3 ['a', True, None]".to_owned(),
        ),
        ("{unknown} {text}", "{unknown} T".to_owned()),
        (
            "{data} {task} {self} {0} {text}",
            "{data} {task} {self} {0} T".to_owned(),
        ),
        (
            "{text.__class__.__init__.__globals__} {text}",
            "{text.__class__.__init__.__globals__} T".to_owned(),
        ),
        ("{text!r:>9} {text}", "{text!r:>9} T".to_owned()),
        ("{\"label\": \"{text}\"}", "{\"label\": \"T\"}".to_owned()),
        ("{{text}} {text}", "{text} T".to_owned()),
        ("} { {text}", "} { T".to_owned()),
        (
            "{OPENAI_API_KEY} {prompt}",
            "{OPENAI_API_KEY} {prompt}".to_owned(),
        ),
        ("nothing", "nothing".to_owned()),
    ];
    for (prompt, expected) in cases {
        assert_eq!(asks(&OWN_TEMPLATE, "T", prompt), expected, "{prompt}");
    }
}

#[test]
fn what_is_put_into_a_template_is_not_a_template() {
    let flags = ["--prompt-template", "{text}|{prompt}|{labels}|{other}|{"];
    let asked = asks(&flags, "{prompt} {labels} {{", "{text} }} {0}");
    let labels = "['sports', 'politics', 'technology']";
    assert_eq!(
        asked,
        format!("{{prompt}} {{labels}} {{{{|{{text}} }}}} {{0}}|{labels}|{{other}}|{{")
    );
}

#[test]
fn prompts_may_be_long() {
    let prompt = "{text} {".repeat(1 << 17);
    assert_eq!(prompt.len(), 1 << 20);
    assert!(asks(&[], "T", &prompt).contains(&prompt));
    assert_eq!(asks(&OWN_TEMPLATE, "T", &prompt), "T {".repeat(1 << 17));
    let text = "x".repeat(1 << 20);
    assert!(asks(&[], &text, "Which?").contains(&text));
}

#[test]
fn a_prompt_that_repeats_a_long_text_too_often_is_refused() {
    let (text, prompt) = ("x".repeat(1 << 20), "{text}".repeat(1 << 10));
    let chat_model = saying("sports");
    let request = asked(&label_config(TOPIC), &json!({ "text": text }), &prompt);
    let (status, answer) = backend(&chat_model, &OWN_TEMPLATE).post("/predict", &request);
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("the prompt repeats a long field")
    );
    assert!(chat_model.received().is_empty());
}

#[test]
fn the_lines_of_a_prompt_are_joined_and_come_back_as_they_were() {
    let chat_model = saying("sports");
    let config = label_config(RESPONSE);
    let mut request = asked(&config, &json!({ "text": "T" }), "");
    request["params"]["context"]["result"][0]["value"]["text"] = json!(["one", "two\nthree"]);
    let answer = backend(&chat_model, &[]).predict(&request);
    assert!(question(&chat_model).contains("\"one\ntwo\nthree\""));
    assert_eq!(
        value(&answer, "prompt"),
        json!({ "text": ["one", "two\nthree"] })
    );
}

#[test]
fn a_context_without_a_prompt_asks_nothing() {
    let contexts = [
        json!({ "result": [] }),
        json!({ "other": 1 }),
        json!({ "result": "no list" }),
        json!({ "result": [null, 1, { "from_name": "prompt" }, { "from_name": "prompt", "value": { "text": [] } }] }),
        json!([1]),
        json!("text"),
    ];
    for context in contexts {
        let chat_model = saying("sports");
        let mut request = asked(&label_config(TOPIC), &json!({ "text": "T" }), "");
        request["params"]["context"] = context.clone();
        let answer = backend(&chat_model, &default_prompt("P")).predict(&request);
        assert_eq!(answer, json!({ "results": [] }), "{context}");
        assert!(chat_model.received().is_empty());
    }
}

#[test]
fn an_empty_context_is_none() {
    for context in [
        json!(null),
        json!({}),
        json!([]),
        json!(""),
        json!(false),
        json!(0),
    ] {
        let chat_model = saying("sports");
        let mut request = batch(&label_config(TOPIC), &["T"]);
        request["params"]["context"] = context;
        backend(&chat_model, &default_prompt("Is {text} new?")).predict(&request);
        assert_eq!(question(&chat_model), "Is T new?");
    }
}

#[test]
fn the_default_prompt_may_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompt.txt");
    std::fs::write(&path, "Read {text}\nChoose from {labels}\n").unwrap();
    let chat_model = saying("sports");
    let flags = default_prompt(path.to_str().unwrap());
    backend(&chat_model, &flags).predict(&batch(&label_config(RESPONSE), &["T"]));
    assert_eq!(question(&chat_model), "Read T\nChoose from None\n");
}

#[test]
fn labels_may_hold_anything() {
    let config = label_config(
        r#"<Choices name="topic" toName="text" choice="multiple"><Choice value="yes&#10;please"/>
           <Choice value="it's &quot;{text}&quot;"/><Choice value="ü"/></Choices>"#,
    );
    let chat_model = saying("yes\nplease");
    let answer =
        backend(&chat_model, &OWN_TEMPLATE).predict(&asked(&config, &json!({}), "{labels}"));
    assert_eq!(
        question(&chat_model),
        r#"['yes\nplease', 'it\'s "{text}"', 'ü']"#
    );
    assert_eq!(
        value(&answer, "topic"),
        json!({ "choices": ["yes\nplease"] })
    );
}

#[test]
fn dialogues_are_asked_about_as_json() {
    let config = r#"<View><Paragraphs name="chat" value="$dialogue" nameKey="role" textKey="content"/>
        <TextArea name="prompt" toName="chat"/><TextArea name="response" toName="chat"/></View>"#;
    let data = json!({ "dialogue": [
        { "role": "user", "content": "Größe? 😀\n\"quoted\"" }, { "role": "bot", "time": 1.5, "content": "\u{7f}" },
    ] });
    let chat_model = saying("ok");
    backend(&chat_model, &["--prompt-template", "{text}"]).predict(&asked(config, &data, "P"));
    let expected = concat!(
        r#"[{"role": "user", "content": "Gr\u00f6\u00dfe? \ud83d\ude00\n\"quoted\""}, "#,
        r#"{"role": "bot", "time": 1.5, "content": "\u007f"}]"#
    );
    assert_eq!(question(&chat_model), expected);
}

#[test]
fn hypertext_is_asked_about_as_it_is() {
    let config = r#"<View><HyperText name="page" value="$html"/><TextArea name="Prompt" toName="page"/>
        <TextArea name="response" toName="page"/></View>"#;
    let chat_model = saying("ok");
    let mut request = asked(config, &json!({ "html": "<b>{prompt}</b>" }), "P");
    request["params"]["context"]["result"][0]["from_name"] = "Prompt".into();
    let answer = backend(&chat_model, &["--prompt-template", "{text}"]).predict(&request);
    assert_eq!(question(&chat_model), "<b>{prompt}</b>");
    assert_eq!(answer["results"][0]["result"][0]["to_name"], "page");
    assert_eq!(value(&answer, "Prompt"), json!({ "text": ["P"] }));
}

#[test]
fn the_request_can_be_shaped() {
    let chat_model = saying("sports");
    let flags = [
        "--system-prompt",
        "You label.",
        "--max-answer-tokens",
        "50",
        "--openai-model",
        "gpt-5",
        "--num-responses",
        "2",
        "--extra-body",
        r#"{"temperature": null, "seed": 7}"#,
        "--prompt-template",
        "{prompt}",
    ];
    backend(&chat_model, &flags).predict(&asked(
        &label_config(TOPIC),
        &json!({ "text": "T" }),
        "P",
    ));
    let expected = json!({
        "model": "gpt-5", "n": 2, "max_tokens": 50, "seed": 7,
        "messages": [{ "role": "system", "content": "You label." }, { "role": "user", "content": "P" }],
    });
    assert_eq!(chat_model.received()[0].json(), expected);
}

#[test]
fn nothing_is_asked_about_a_task_without_text() {
    let config = label_config(TOPIC);
    for flags in [&[][..], &OWN_TEMPLATE] {
        for (data, expected) in [
            (json!({ "other": 1 }), "no data field \"text\""),
            (json!({ "text": null }), "\"text\" of the task is null"),
        ] {
            let chat_model = saying("sports");
            let request = asked(&config, &data, "About {text}");
            let (status, answer) = backend(&chat_model, flags).post("/predict", &request);
            let detail = answer["detail"].as_str().unwrap();
            assert_eq!(status, 500);
            assert!(detail.contains(expected), "{detail}");
            assert!(chat_model.received().is_empty(), "nothing is paid for");
        }
        let chat_model = saying("sports");
        let data = json!({ "$undefined$": "of a text file" });
        backend(&chat_model, flags).predict(&asked(&config, &data, "About {text}"));
        let question = question(&chat_model);
        assert!(question.contains("of a text file"), "{question}");
        assert!(!question.contains("None"), "{question}");
    }
}

#[test]
fn label_studio_stores_the_predictions() {
    let chat_model = saying("sports, politics");
    let flags = default_prompt("About {text}: {labels}");
    let backend = backend(&chat_model, &flags);
    let task = |id: u64, text: &str| json!({ "id": id, "data": { "text": text } });
    let config = label_config(&format!("{TOPIC}{RESPONSE}"));
    let predictions = check_backend(&backend, &config, &[task(1, "a"), task(2, "b")]);
    assert_eq!(predictions[1]["result"].as_array().unwrap().len(), 3);
}

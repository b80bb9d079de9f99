//! What a project brings: its prompt, its versions, its extra params.

use std::sync::Arc;

use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    Action, Event, LabelConfig, Model, Project, ProjectId, Resources, Value, json,
    store::MemoryStore, testing::TestClient,
};
use label_studio_testing::MockService;
use llm_interactive::OpenAIInteractive;

use crate::mock::{
    KEY, RESPONSE, asked, backend, batch, default_prompt, label_config, options, question, saying,
    value,
};

fn annotated(action: Action, prompt: &Value) -> Event {
    let region = json!({ "from_name": "prompt", "to_name": "text", "type": "textarea", "value": { "text": prompt } });
    Event {
        action,
        payload: json!({ "project": { "id": 1 }, "annotation": { "result": [region] } }),
    }
}

fn project() -> Project {
    Project::in_memory(&label_config(RESPONSE)).unwrap()
}

#[test]
fn every_prompt_has_its_version() {
    let model =
        OpenAIInteractive::new(options(&saying("ok"), &[]), NetworkOptions::default()).unwrap();
    let project = project();
    let versions = ["one", "one", "one\ntwo", "one", "three", "one\ntwo"].map(|prompt| {
        model
            .fit(
                &project,
                &annotated(Action::AnnotationUpdated, &json!([prompt])),
            )
            .unwrap();
        assert_eq!(project.get("prompt").unwrap().as_deref(), Some(prompt));
        project.model_version().unwrap()
    });
    assert_eq!(
        versions,
        ["0.0.1", "0.0.1", "0.1.0", "0.0.1", "0.2.0", "0.1.0"]
    );
}

#[test]
fn predictions_with_the_default_prompt_have_a_version_of_their_own() {
    let model = OpenAIInteractive::new(
        options(&saying("ok"), &default_prompt("default")),
        NetworkOptions::default(),
    )
    .unwrap();
    let project = project();
    let fit = |prompt| {
        model
            .fit(
                &project,
                &annotated(Action::AnnotationCreated, &json!([prompt])),
            )
            .unwrap()
    };
    fit("typed");
    assert_eq!(project.model_version().unwrap(), "0.1.0");
    fit("default");
    assert_eq!(project.model_version().unwrap(), "0.0.1");
}

#[test]
fn a_prompt_that_the_python_original_stored_keeps_its_version() {
    let model =
        OpenAIInteractive::new(options(&saying("ok"), &[]), NetworkOptions::default()).unwrap();
    let project = project();
    project.set("prompt", "old").unwrap();
    model
        .fit(
            &project,
            &annotated(Action::AnnotationCreated, &json!(["new"])),
        )
        .unwrap();
    assert_eq!(project.model_version().unwrap(), "0.1.0");
}

#[test]
fn annotations_without_a_prompt_and_other_events_change_nothing() {
    let model =
        OpenAIInteractive::new(options(&saying("ok"), &[]), NetworkOptions::default()).unwrap();
    let project = project();
    let events = [
        annotated(Action::StartTraining, &json!(["x"])),
        annotated(Action::AnnotationDeleted, &json!(["x"])),
        annotated(Action::AnnotationCreated, &json!([])),
        annotated(Action::AnnotationCreated, &json!(7)),
        Event {
            action: Action::AnnotationCreated,
            payload: json!({ "project": { "id": 1 } }),
        },
        Event {
            action: Action::AnnotationCreated,
            payload: json!({ "annotation": { "result": null } }),
        },
    ];
    for event in events {
        assert_eq!(model.fit(&project, &event).unwrap(), Value::Null);
        assert_eq!(project.get("prompt").unwrap(), None);
    }
}

#[test]
fn a_stored_prompt_is_asked_about_every_task() {
    let chat_model = saying("ok");
    let backend = backend(&chat_model, &[]);
    let config = label_config(RESPONSE);
    let region = json!({ "from_name": "prompt", "value": { "text": ["Which", "one?"] } });
    let event = json!({
        "action": "ANNOTATION_CREATED",
        "project": { "id": 1, "label_config": config },
        "annotation": { "result": [region] },
    });
    assert_eq!(
        backend.post("/webhook", &event),
        (201, json!({ "result": null, "status": "ok" }))
    );
    let answer = backend.predict(&batch(&config, &["T"]));
    assert!(
        question(&chat_model).contains("\"T\"")
            && question(&chat_model).contains("\"Which\none?\"")
    );
    assert_eq!(value(&answer, "prompt"), json!({ "text": ["Which\none?"] }));
}

/// Asks with extra params and returns what the chat model got, or why it got nothing.
fn asked_with(flags: &[&str], params: &Value) -> (MockService, Result<(), String>) {
    let chat_model = saying("ok");
    let config = label_config(RESPONSE);
    let params = params.to_string().replace("MOCK", &chat_model.url(""));
    let backend: TestClient = backend(&chat_model, flags);
    let setup = json!({ "project": "1.1", "schema": config, "extra_params": params });
    assert_eq!(backend.post("/setup", &setup).0, 200);
    let (status, answer) = backend.post("/predict", &asked(&config, &json!({ "text": "T" }), "P"));
    let asked = if status == 200 {
        Ok(())
    } else {
        Err(answer["detail"].as_str().unwrap().to_owned())
    };
    (chat_model, asked)
}

#[test]
fn extra_params_go_before_flags() {
    let params = json!({
        "api_key": "k2", "model": "gpt-4o", "num_responses": 3, "temperature": "0.5", "base_url": "MOCK/own/v1/",
    });
    let (chat_model, asked) = asked_with(&["--openai-model", "x"], &params);
    asked.unwrap();
    let request = chat_model.received().remove(0);
    assert_eq!(request.target, "/own/v1/chat/completions");
    assert_eq!(request.header("authorization"), Some("Bearer k2"));
    let body = request.json();
    assert_eq!(
        (&body["model"], &body["n"], &body["temperature"]),
        (&json!("gpt-4o"), &json!(3), &json!(0.5))
    );
}

#[test]
fn extra_params_choose_the_provider() {
    let azure = json!({
        "provider": "azure", "resource_endpoint": "MOCK", "deployment_name": "d", "api_version": "v", "api_key": "k",
    });
    let (chat_model, asked) = asked_with(&[], &azure);
    asked.unwrap();
    let request = chat_model.received().remove(0);
    assert_eq!(
        request.target,
        "/openai/deployments/d/chat/completions?api-version=v"
    );
    assert_eq!(request.header("api-key"), Some("k"));
    assert_eq!(request.json()["model"], "gpt-35-turbo");

    let ollama = json!({ "provider": "Ollama", "base_url": "MOCK/v1/", "model": "llama3" });
    let (chat_model, asked) = asked_with(&[], &ollama);
    asked.unwrap();
    let request = chat_model.received().remove(0);
    assert_eq!(request.target, "/v1/chat/completions");
    assert_eq!(request.header("authorization"), Some("Bearer ollama"));
}

#[test]
fn what_is_missing_is_named() {
    let cases = [
        (
            json!({ "provider": "foo" }),
            "provider \"foo\" is unknown; it can be openai, azure or ollama",
        ),
        (
            json!({ "provider": "ollama" }),
            "OLLAMA_ENDPOINT is not set",
        ),
        (
            json!({ "provider": "ollama", "base_url": "MOCK" }),
            "OPENAI_MODEL is not set",
        ),
        (
            json!({ "provider": "azure" }),
            "AZURE_RESOURCE_ENDPOINT is not set",
        ),
        (
            json!({ "provider": "azure", "resource_endpoint": "MOCK", "api_key": "k" }),
            "AZURE_DEPLOYMENT_NAME is not set",
        ),
        (
            json!({ "base_url": "localhost:8000" }),
            "is not a web address",
        ),
    ];
    for (params, expected) in cases {
        let (chat_model, asked) = asked_with(&[], &params);
        let detail = asked.unwrap_err();
        assert!(detail.contains(expected), "{detail:?} lacks {expected:?}");
        assert!(chat_model.received().is_empty());
    }
}

#[test]
fn the_key_of_the_backend_stays_with_addresses_of_the_backend() {
    let (chat_model, asked) = asked_with(&[], &json!({ "base_url": "MOCK/elsewhere" }));
    asked.unwrap();
    assert_eq!(chat_model.received()[0].header("authorization"), None);

    let azure = json!({ "provider": "azure", "resource_endpoint": "MOCK", "deployment_name": "d" });
    let (chat_model, asked) = asked_with(&[], &azure);
    assert!(asked.unwrap_err().contains("no key for the chat model"));
    assert!(chat_model.received().is_empty());

    let key_of = |params: Value| {
        let own = options(&saying("ok"), &[]).provider;
        own.of_project(&params)
            .unwrap()
            .chat
            .openai_api_key
            .map(|key| key.expose().to_owned())
    };
    let azure = |resource: &str| json!({ "provider": "azure", "resource_endpoint": resource });
    let mine = [
        json!({ "model": "gpt-4" }),
        azure("https://mine.openai.azure.com/"),
    ];
    let others = [
        azure("http://mine.openai.azure.com/"),
        azure("https://evil.example/.openai.azure.com"),
        azure("https://evil.example?.openai.azure.com"),
        azure("https://evil.example#.openai.azure.com"),
        azure("https://evil.example\\.openai.azure.com"),
        azure("https://evil.example:1@x.openai.azure.com"),
        azure("https://openai.azure.com.evil.example"),
    ];
    for params in mine {
        assert_eq!(key_of(params.clone()).as_deref(), Some(KEY), "{params}");
    }
    for params in others {
        assert_eq!(key_of(params.clone()), None, "{params}");
    }
}

#[test]
fn settings_that_are_set_to_nothing_are_not_set() {
    let empty = |flag: &'static str| [flag, ""];
    let flags = [
        "--openai-model",
        "--default-prompt",
        "--azure-resource-endpoint",
        "--ollama-endpoint",
    ]
    .map(empty);
    let flags = [
        flags.as_flattened(),
        &["--system-prompt", " ", "--extra-body", ""],
    ]
    .concat();
    let chat_model = saying("ok");
    backend(&chat_model, &flags).predict(&asked(
        &label_config(RESPONSE),
        &json!({ "text": "T" }),
        "P",
    ));
    let body = chat_model.received()[0].json();
    assert_eq!(
        (&body["model"], body["messages"].as_array().unwrap().len()),
        (&json!("gpt-3.5-turbo"), 1)
    );

    let mut provider = options(&chat_model, &[]).provider;
    provider.chat.openai_base_url = Some(String::new());
    let url = provider.endpoint().unwrap().shown_url();
    assert_eq!(url, "https://api.openai.com/v1/chat/completions");
}

#[test]
fn projects_do_not_see_each_others_prompts() {
    let resources = Arc::new(Resources::new(MemoryStore::default()));
    let config = Arc::new(LabelConfig::parse(&label_config(RESPONSE)).unwrap());
    let project = |id: &str| {
        Project::new(
            ProjectId::parse(id),
            Arc::clone(&config),
            Arc::clone(&resources),
        )
    };
    let model =
        OpenAIInteractive::new(options(&saying("ok"), &[]), NetworkOptions::default()).unwrap();
    model
        .fit(
            &project("1.5"),
            &annotated(Action::AnnotationCreated, &json!(["mine"])),
        )
        .unwrap();
    assert_eq!(project("1").get("prompt").unwrap().as_deref(), Some("mine"));
    assert_eq!(project("2").get("prompt").unwrap(), None);
}

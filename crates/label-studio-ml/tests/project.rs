//! What a model knows about its project.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use label_studio_ml::{
    Event, FnModel, LabelConfig, Model, PredictRequest, Predictions, Project, ProjectError,
    ProjectId, Resources, Task, Value, anyhow, json,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
    testing::TestClient,
};

const CONFIG: &str = r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"#;

#[test]
fn versions_start_bump_and_stay() {
    let project = Project::in_memory(CONFIG).unwrap();
    assert_eq!(project.model_version().unwrap(), "0.0.1");
    project.set_initial_model_version("Mine-v0.0.1").unwrap();
    project.set_initial_model_version("Other-v0.0.1").unwrap();
    assert_eq!(project.bump_model_version().unwrap(), "Mine-v0.1.0");
    assert_eq!(project.model_version().unwrap(), "Mine-v0.1.0");
    assert_eq!(
        project.model_versions().unwrap(),
        ["Mine-v0.0.1", "Mine-v0.1.0"]
    );
}

#[test]
fn the_next_version_counts_on_from_the_current_one() {
    let project = Project::in_memory(CONFIG).unwrap();
    let next = || project.next_model_version("mood-v").unwrap();
    assert_eq!(next(), "mood-v2", "a model that was never trained has 1");
    for (current, expected) in [
        ("mood-v2", "mood-v3"),
        ("mood-v41", "mood-v42"),
        ("other-v41", "mood-v2"),
        ("mood-vast", "mood-v2"),
        ("mood-v18446744073709551614", "mood-v18446744073709551615"),
    ] {
        project.set_model_version(current).unwrap();
        assert_eq!(next(), expected, "after {current}");
    }
}

/// Returns the text of a task with `data` for the label config's only object.
fn text_of(label_config: &str, data: &Value) -> Result<String, ProjectError> {
    let project = Project::in_memory(label_config).unwrap();
    let task = Task::from_value(&json!({ "id": 1, "data": data })).unwrap();
    let pair = project
        .label_config()
        .first_pair("Choices", "Text")
        .unwrap();
    project.text_of(pair.object, &task)
}

#[test]
fn a_text_may_be_a_number_and_have_no_field_name() {
    for (data, expected) in [
        (json!({ "t": "a text" }), "a text"),
        (json!({ "t": "" }), ""),
        (json!({ "t": 1.5 }), "1.5"),
        (json!({ "t": true }), "true"),
        (json!({ "$undefined$": "imported" }), "imported"),
        (json!({ "t": null, "$undefined$": "imported" }), "imported"),
        (json!({ "t": "mine", "$undefined$": "imported" }), "mine"),
    ] {
        assert_eq!(text_of(CONFIG, &data).unwrap(), expected, "{data}");
    }
}

#[test]
fn a_task_without_text_is_an_error_that_names_the_field() {
    for (data, expected) in [
        (json!({}), "the task has no text in its data field \"t\""),
        (
            json!({ "t": null }),
            "the task has no text in its data field \"t\"",
        ),
        (
            json!({ "t": ["a"] }),
            "data field \"t\" of the task is not a text",
        ),
        (
            json!({ "t": { "a": 1 } }),
            "data field \"t\" of the task is not a text",
        ),
    ] {
        let error = text_of(CONFIG, &data).unwrap_err();
        assert_eq!(error.to_string(), expected, "{data}");
    }
}

#[test]
fn a_text_file_is_read_where_the_task_has_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.txt");
    std::fs::write(&file, "from a file").unwrap();
    let options = MediaOptions {
        document_root: Some(folder.path().to_owned()),
        ..MediaOptions::new(folder.path().join("cache"))
    };
    let resources = Arc::new(Resources {
        media: Some(MediaFetcher::new(None, options).unwrap()),
        ..Resources::new(MemoryStore::default())
    });
    let text = |address: &str| {
        let label_config = Arc::new(LabelConfig::parse(CONFIG).unwrap());
        let project = Project::new(ProjectId::parse("1"), label_config, Arc::clone(&resources));
        let task = Task::from_value(&json!({ "id": 1, "data": { "t": address } })).unwrap();
        let pair = project
            .label_config()
            .first_pair("Choices", "Text")
            .unwrap();
        project.text_of(pair.object, &task)
    };
    let address = "/data/local-files/?d=text.txt";
    assert_eq!(text(address).unwrap(), "from a file");
    assert_eq!(text("text.txt").unwrap(), "text.txt", "no address");
    std::fs::write(&file, [0xff]).unwrap();
    let error = text(address).unwrap_err();
    assert!(matches!(error, ProjectError::TextFile { .. }), "{error}");
    assert!(text("/data/local-files/?d=none.txt").is_err());
}

#[test]
fn extra_params_are_json_however_they_were_sent() {
    let client = TestClient::new(
        FnModel::new("M").predict_fn(|project, _| anyhow::bail!("{}", project.extra_params()?)),
    );
    let read = |extra_params: Value| {
        client.post(
            "/setup",
            &json!({ "project": "1.1", "schema": CONFIG, "extra_params": extra_params }),
        );
        client
            .post(
                "/predict",
                &json!({ "project": "1.1", "label_config": CONFIG, "tasks": [] }),
            )
            .1["detail"]
            .clone()
    };
    assert_eq!(read(Value::Null), json!("{}"));
    assert_eq!(read(json!("{\"a\": 1}")), json!("{\"a\":1}"));
    assert_eq!(read(json!({ "b": [2] })), json!("{\"b\":[2]}"));
    assert_eq!(read(Value::Null), json!("{}"), "emptied by the user");
    assert!(
        read(json!("not JSON"))
            .as_str()
            .unwrap()
            .contains("extra params of the project are not JSON")
    );
}

struct CountsSetups(Arc<AtomicUsize>);

impl Model for CountsSetups {
    fn setup(&self, _: &Project) -> anyhow::Result<()> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => anyhow::bail!("not yet"),
            _ => Ok(()),
        }
    }

    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        Ok(Predictions::default())
    }

    fn fit(&self, project: &Project, _: &Event) -> anyhow::Result<Value> {
        Ok(project.label_config().text().into())
    }
}

#[test]
fn setup_runs_once_per_label_config_and_again_after_a_failure() {
    let n_setups = Arc::new(AtomicUsize::new(0));
    let client = TestClient::new(CountsSetups(Arc::clone(&n_setups)));
    let predict = |config: &str| {
        client.post(
            "/predict",
            &json!({ "project": "1", "label_config": config, "tasks": [] }),
        )
    };
    assert_eq!(predict(CONFIG).0, 500, "setup fails");
    for _ in 0..3 {
        assert_eq!(predict(CONFIG).0, 200);
    }
    assert_eq!(n_setups.load(Ordering::SeqCst), 2);
    predict("<View/>");
    assert_eq!(n_setups.load(Ordering::SeqCst), 3);
}

#[test]
fn a_request_without_label_config_gets_the_last_one() {
    let client = TestClient::new(CountsSetups(Arc::new(AtomicUsize::new(1))));
    client.post("/setup", &json!({ "project": "5.1", "schema": CONFIG }));
    let (_, answer) = client.post(
        "/webhook",
        &json!({ "action": "START_TRAINING", "project": { "id": 5 } }),
    );
    assert_eq!(answer["result"], CONFIG);
}

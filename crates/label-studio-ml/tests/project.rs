//! What a model knows about its project.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use label_studio_ml::{
    Event, FnModel, Model, PredictRequest, Predictions, Project, Value, anyhow, json,
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

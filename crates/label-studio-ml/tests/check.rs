//! What a user is told who connects a backend that does not fit the project.

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Predictions, Project, anyhow, json, testing::TestClient,
};

/// A model that needs choices on a text.
struct Chooser;

impl Model for Chooser {
    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        label_config.first_pair("Choices", "Text")?;
        Ok(())
    }

    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        Ok(Predictions::default())
    }
}

fn set_up(label_config: &str) -> (u16, String) {
    let client = TestClient::new(Chooser);
    let body = json!({ "project": "1.1", "schema": label_config });
    let (status, answer) = client.post("/setup", &body);
    (
        status,
        answer["detail"].as_str().unwrap_or_default().to_owned(),
    )
}

#[test]
fn setup_refuses_a_label_config_that_the_model_cannot_use() {
    let config = r#"<View><Text name="t" value="$t"/><Labels name="l" toName="t"><Label value="x"/></Labels></View>"#;
    let expected = "label config has no <Choices> control on a <Text> object";
    assert_eq!(set_up(config), (422, expected.to_owned()));
}

#[test]
fn setup_takes_a_label_config_that_fits_and_one_that_is_still_empty() {
    let config = r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"#;
    for label_config in [config, "<View></View>"] {
        assert_eq!(set_up(label_config), (200, String::new()), "{label_config}");
    }
}

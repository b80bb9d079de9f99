//! What Label Studio needs of every backend.

mod project;

use std::fs;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::check_repeater;
use project::{LABEL_CONFIG, fixture, key_point, rectangle, tiny};

fn click_on(regions: &[Value]) -> Value {
    let image = BASE64_STANDARD.encode(fs::read(fixture("images/wide.png")).unwrap());
    let data = json!({ "image": format!("data:image/png;base64,{image}") });
    json!({
        "tasks": [{ "id": 1, "data": data }], "project": "1.1", "label_config": LABEL_CONFIG,
        "params": { "context": { "result": regions } },
    })
}

#[test]
fn a_click_on_one_entry_of_a_repeater_is_answered_there() {
    let client = TestClient::new(tiny());
    check_repeater(&client, &click_on(&[key_point(40.0, 50.0, "Banana", true)]));
    let rectangle = rectangle([20.0, 20.0, 50.0, 50.0], "Orange");
    check_repeater(&client, &click_on(&[rectangle]));
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let no_masks = r#"<View><Image name="image" value="$image"/>
        <KeyPointLabels name="label" toName="image" smart="true"><Label value="cats"/></KeyPointLabels></View>"#;
    let setup = json!({ "project": "1.1", "schema": no_masks });
    let (status, answer) = TestClient::new(tiny()).post("/setup", &setup);
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer["detail"].as_str().unwrap().contains("BrushLabels"),
        "{answer}"
    );
}

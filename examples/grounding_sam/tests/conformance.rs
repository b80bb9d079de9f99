//! What Label Studio needs of every backend.

mod tiny;

use label_studio_ml::{json, testing::TestClient};
use label_studio_testing::check_repeater;
use tiny::{LABEL_CONFIG, body, data_url, model, predictor};

#[test]
fn a_prompt_for_one_entry_of_a_repeater_is_answered_there() {
    for segmenter in [None, Some(predictor())] {
        let client = TestClient::new(model(segmenter));
        check_repeater(&client, &body(LABEL_CONFIG, &[data_url("wide.png")], "cat"));
    }
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let no_masks = r#"<View><Image name="image" value="$image"/><TextArea name="prompt" toName="image"/>
        <RectangleLabels name="label" toName="image"><Label value="cats"/></RectangleLabels></View>"#;
    let setup = json!({ "project": "1.1", "schema": no_masks });
    let (status, answer) = TestClient::new(model(None)).post("/setup", &setup);
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = TestClient::new(model(Some(predictor()))).post("/setup", &setup);
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer["detail"].as_str().unwrap().contains("BrushLabels"),
        "{answer}"
    );
}

//! What Label Studio needs of every backend.

use label_studio_ml::{json, testing::TestClient};
use label_studio_testing::{check_backend, check_repeater};
use the_simplest_backend::TheSimplestBackend;

const CONFIG: &str = r#"<View><Text name="text" value="$text"/><Image name="image" value="$image"/>
    <choices name="mood" toName="text"><choice value="Positive"/><Choice value="Negative"/></choices>
    <Labels name="span" toName="text"><Label value="PER"/></Labels>
    <TextArea name="answer" toName="text"/>
    <RectangleLabels name="box" toName="image"><Label value="Cat"/></RectangleLabels></View>"#;

fn client() -> TestClient {
    TestClient::new(TheSimplestBackend::default())
}

#[test]
fn label_studio_stores_every_answer() {
    let data = json!({ "text": "good morning", "image": "/data/upload/1/a.png" });
    let predictions = check_backend(&client(), CONFIG, &[json!({ "id": 1, "data": data })]);
    assert_eq!(predictions[0]["result"].as_array().unwrap().len(), 4);
    let task = json!({ "id": 1, "data": data });
    let body = json!({ "tasks": [task], "project": "1.1", "label_config": CONFIG });
    check_repeater(&client(), &body);
}

#[test]
fn setup_needs_a_control_and_an_object_of_the_manifest() {
    let setup = |control: &str, object: &str| {
        let config = format!(
            r#"<View><{object} name="o" value="$o"/><{control} name="c" toName="o"><Label value="x"/></{control}></View>"#
        );
        client().post("/setup", &json!({ "project": "1.1", "schema": config }))
    };
    let expected = "label config has no <Choices> or <Labels> or <RectangleLabels> or <TextArea> control \
                    on a <Text> or <Image> object";
    for (control, object, status) in [
        ("Labels", "Text", 200),
        ("RectangleLabels", "Image", 200),
        ("labels", "text", 200),
        ("Labels", "Audio", 422),
        ("BrushLabels", "Image", 422),
    ] {
        let (answered, answer) = setup(control, object);
        assert_eq!(answered, status, "{control} {object}: {answer}");
        assert!(status == 200 || answer["detail"] == expected, "{answer}");
    }
}

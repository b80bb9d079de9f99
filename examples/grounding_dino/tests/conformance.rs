//! What Label Studio needs of every backend.

mod support;

use label_studio_ml::{Value, json};
use label_studio_testing::{check_backend, check_repeater};
use label_studio_vision::models::grounding_dino::Thresholds;
use support::{LABEL_CONFIG, backend, data_url, predict_body, typed};

const SURE: Thresholds = Thresholds {
    box_score: 0.5,
    token_score: 0.4,
};

/// An annotation event whose prompt is `cat`.
fn annotated(label_config: &str, region: &Value, data: &Value) -> Value {
    json!({
        "action": "ANNOTATION_CREATED",
        "project": { "id": 1, "label_config": label_config },
        "task": { "id": 1, "data": data },
        "annotation": { "id": 7, "result": [region] },
    })
}

#[test]
fn label_studio_stores_every_answer() {
    let client = backend(SURE);
    let event = annotated(LABEL_CONFIG, &typed("cat")["result"][0], &json!({}));
    assert_eq!(client.post("/webhook", &event).0, 201);
    let tasks = [1, 2].map(|id| json!({ "id": id, "data": { "image": data_url("wide.png") } }));
    check_backend(&client, LABEL_CONFIG, &tasks);
    check_repeater(&client, &predict_body(&[data_url("wide.png")], None));
}

#[test]
fn label_studio_stores_what_has_no_label_or_leaves_the_image() {
    let client = backend(Thresholds {
        box_score: 0.0,
        token_score: 0.0,
    });
    let event = annotated(LABEL_CONFIG, &typed("dog")["result"][0], &json!({}));
    assert_eq!(client.post("/webhook", &event).0, 201);
    let task = json!({ "id": 1, "data": { "image": data_url("wide.png") } });
    let predictions = check_backend(&client, LABEL_CONFIG, &[task]);
    let regions = predictions[0]["result"].as_array().unwrap();
    let labels = |region: &&Value| region["value"]["rectanglelabels"] == json!([]);
    assert!(regions.iter().filter(labels).count() > 1, "{regions:?}");
}

#[test]
fn a_prompt_for_one_entry_of_a_repeater_is_answered_there() {
    let body = predict_body(&[data_url("wide.png")], Some(&typed("cat")));
    check_repeater(&backend(SURE), &body);
}

#[test]
fn the_prompt_of_an_entry_of_a_repeater_is_remembered() {
    let client = backend(SURE);
    let config = r#"<View><Repeater on="$pages"><Image name="page_{{idx}}" value="$pages[{{idx}}]"/>
        <TextArea name="notes_{{idx}}" toName="page_{{idx}}"/><TextArea name="prompt_{{idx}}" toName="page_{{idx}}"/>
        <RectangleLabels name="label_{{idx}}" toName="page_{{idx}}"><Label value="cats"/></RectangleLabels></Repeater></View>"#;
    let data = json!({ "pages": [data_url("wide.png"), data_url("wide.png")] });
    let text = |name: &str, text: &str| json!({ "id": name, "from_name": name, "to_name": "page_1", "type": "textarea", "value": { "text": [text] } });
    let mut event = annotated(config, &text("notes_1", "house"), &data);
    let regions = event["annotation"]["result"].as_array_mut().unwrap();
    regions.push(text("prompt_1", "cat"));
    let (status, answer) = client.post("/webhook", &event);
    assert_eq!(status, 201, "{answer}");
    assert_eq!(
        answer["result"]["remembered"],
        json!(["prompt"]),
        "{answer}"
    );
    let request =
        json!({ "tasks": [{ "id": 1, "data": data }], "project": "1.1", "label_config": config });
    let answer = client.predict(&request);
    let regions = answer["results"][0]["result"].as_array().unwrap().clone();
    let prompts = regions.iter().filter(|region| region["type"] == "textarea");
    let prompts: Vec<_> = prompts
        .map(|region| region["value"]["text"][0].clone())
        .collect();
    assert_eq!(prompts, ["cat", "cat"]);
}

#[test]
fn setup_says_what_the_label_config_lacks() {
    let no_prompt = r#"<View><Image name="image" value="$image"/>
        <RectangleLabels name="label" toName="image"><Label value="cats"/></RectangleLabels></View>"#;
    let setup = json!({ "project": "1.1", "schema": no_prompt });
    let (status, answer) = backend(SURE).post("/setup", &setup);
    assert_eq!(status, 422, "{answer}");
    let expected = "label config has no <TextArea> control on a <Image> object";
    assert_eq!(answer["detail"], expected);
}

//! Tests of the model; no Label Studio needed.

use label_studio_ml::{
    Action, Event, Model, PredictRequest, Project, Task, json, serde_json, testing::TestClient,
};

use my_backend::NewModel;

const LABEL_CONFIG: &str = r#"
    <View>
      <Text name="text" value="$text"/>
      <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
    </View>"#;
const MODEL: NewModel = NewModel { score: 0.5 };

#[test]
fn suggests_nothing_before_the_first_annotation() {
    // Goes through the whole server, without a socket.
    let answer = TestClient::new(MODEL).predict(&json!({
        "label_config": LABEL_CONFIG,
        "project": "1.1700000000",
        "tasks": [{ "id": 1, "data": { "text": "rain again" } }],
    }));
    assert_eq!(answer, json!({ "results": [] }));
}

#[test]
fn suggests_the_choice_submitted_last() {
    let project = Project::in_memory(LABEL_CONFIG).unwrap();
    let event = Event {
        action: Action::AnnotationCreated,
        payload: json!({ "annotation": { "result": [{ "value": { "choices": ["Sad"] } }] } }),
    };
    MODEL.fit(&project, &event).unwrap();

    let task = Task::parse(r#"{ "id": 1, "data": { "text": "rain again" } }"#).unwrap();
    let request = PredictRequest::new(vec![task]);
    let predictions = serde_json::to_value(MODEL.predict(&project, &request).unwrap()).unwrap();
    assert_eq!(predictions[0]["score"], 0.5);
    let region = &predictions[0]["result"][0];
    assert_eq!(region["from_name"], "mood");
    assert_eq!(region["value"], json!({ "choices": ["Sad"] }));
}

#[test]
fn names_the_tags_that_the_label_config_lacks() {
    let project = Project::in_memory("<View/>").unwrap();
    let request = PredictRequest::default();
    let error = MODEL.predict(&project, &request).unwrap_err();
    assert!(error.to_string().contains("Choices"), "{error}");
}

//! What the model answers, without a server or a Label Studio.

use label_studio_ml::{Action, Event, Model, PredictRequest, Project, Task, Value, json, serde_json};
use my_backend::NewModel;

const LABEL_CONFIG: &str = r#"
    <View>
      <Text name="text" value="$text"/>
      <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
    </View>"#;
const MODEL: NewModel = NewModel { score: 0.5 };

/// Predicts one task and answers with the predictions as Label Studio gets them.
fn predict(project: &Project) -> Value {
    let task = Task::from_value(json!({ "id": 1, "data": { "text": "rain again" } })).unwrap();
    let predictions = MODEL.predict(project, &PredictRequest::new(vec![task])).unwrap();
    serde_json::to_value(predictions).unwrap()
}

#[test]
fn suggests_nothing_before_the_first_annotation() {
    let project = Project::in_memory(LABEL_CONFIG).unwrap();
    assert_eq!(predict(&project), json!([]));
}

#[test]
fn suggests_the_choice_submitted_last() {
    let project = Project::in_memory(LABEL_CONFIG).unwrap();
    let event = Event {
        action: Action::AnnotationCreated,
        payload: json!({ "annotation": { "result": [{ "value": { "choices": ["Sad"] } }] } }),
    };
    MODEL.fit(&project, &event).unwrap();
    let predictions = predict(&project);
    assert_eq!(predictions[0]["score"], 0.5);
    let region = &predictions[0]["result"][0];
    assert_eq!(region["from_name"], "mood");
    assert_eq!(region["value"], json!({ "choices": ["Sad"] }));
}

#[test]
fn says_which_tags_the_label_config_lacks() {
    let project = Project::in_memory("<View/>").unwrap();
    let error = MODEL.predict(&project, &PredictRequest::default()).unwrap_err();
    assert!(error.to_string().contains("Choices"), "{error}");
}

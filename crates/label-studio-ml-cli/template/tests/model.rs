//! Tests of the model; no Label Studio needed.

use label_studio_ml::{
    Action, Event, Model, PredictRequest, Project, Task, Value, json, serde_json,
    testing::TestClient,
};

use my_backend::NewModel;

const LABEL_CONFIG: &str = r#"
    <View>
      <Text name="text" value="$text"/>
      <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
    </View>"#;
const SCORE: f64 = 0.5;

fn submit(model: &NewModel, project: &Project, choice: &str) {
    let event = Event {
        action: Action::AnnotationCreated,
        payload: json!({ "annotation": { "result": [{ "value": { "choices": [choice] } }] } }),
    };
    model.fit(project, &event).unwrap();
}

fn predict(model: &NewModel, project: &Project) -> Value {
    let task = Task::parse(r#"{ "id": 1, "data": { "text": "rain again" } }"#).unwrap();
    let request = PredictRequest::new(vec![task]);
    serde_json::to_value(model.predict(project, &request).unwrap()).unwrap()
}

#[test]
fn suggests_nothing_before_the_first_annotation() {
    // Goes through the whole server, without a socket.
    let answer = TestClient::new(NewModel::new(SCORE)).predict(&json!({
        "label_config": LABEL_CONFIG,
        "project": "1.1700000000",
        "tasks": [{ "id": 1, "data": { "text": "rain again" } }],
    }));
    assert_eq!(answer, json!({ "results": [] }));
}

#[test]
fn suggests_the_choice_submitted_last() {
    let project = Project::in_memory(LABEL_CONFIG).unwrap();
    let model = NewModel::new(SCORE);
    submit(&model, &project, "Sad");

    let predictions = predict(&model, &project);
    assert_eq!(predictions[0]["score"], SCORE);
    let region = &predictions[0]["result"][0];
    assert_eq!(region["from_name"], "mood");
    assert_eq!(region["value"], json!({ "choices": ["Sad"] }));
}

#[test]
fn suggests_what_another_process_has_learnt() {
    let project = Project::in_memory(LABEL_CONFIG).unwrap();
    let [ours, theirs] = [(); 2].map(|()| NewModel::new(SCORE));
    submit(&theirs, &project, "Happy");
    assert_eq!(
        predict(&ours, &project)[0]["result"][0]["value"]["choices"][0],
        "Happy"
    );
    submit(&theirs, &project, "Sad");
    assert_eq!(
        predict(&ours, &project)[0]["result"][0]["value"]["choices"][0],
        "Sad"
    );
}

#[test]
fn names_the_tags_that_the_label_config_lacks() {
    let project = Project::in_memory("<View/>").unwrap();
    let request = PredictRequest::default();
    let error = NewModel::new(SCORE)
        .predict(&project, &request)
        .unwrap_err();
    assert!(error.to_string().contains("Choices"), "{error}");
}

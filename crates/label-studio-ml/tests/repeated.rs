//! Label configs with `Repeater` tags: the model is asked about each entry.

use std::sync::{Arc, Mutex};

use label_studio_ml::{
    FnModel, PredictRequest, Prediction, Predictions, Project, Region, TaskPrediction, Value,
    anyhow, json, testing::TestClient,
};

const PAGES: &str = r#"<View><Text name="all" value="$title"/><Choices name="kind" toName="all"><Choice value="x"/></Choices>
  <Repeater on="$pages"><Text name="page_{{idx}}" value="$pages[{{idx}}].text"/>
    <Labels name="labels_{{idx}}" toName="page_{{idx}}"><Label value="A"/></Labels></Repeater></View>"#;

/// Labels the text of every control with itself, and remembers the tasks and the context of each call.
fn echo(calls: &Arc<Mutex<Vec<Value>>>) -> TestClient {
    let calls = Arc::clone(calls);
    let predict = move |project: &Project, request: &PredictRequest| {
        let ids: Vec<_> = request.tasks.iter().map(|task| task.id).collect();
        let drawn: Vec<_> = request.context_regions().to_vec();
        calls
            .lock()
            .unwrap()
            .push(json!({ "tasks": ids, "drawn": drawn }));
        let config = project.label_config();
        anyhow::ensure!(!config.text().contains("Repeater"), "{}", config.text());
        Ok(request
            .tasks
            .iter()
            .map(|task| {
                let regions = config.controls().iter().map(|control| {
                    let object = config.objects_of(control).next().unwrap();
                    let value = object.value_in(&task.data);
                    let score = value
                        .and_then(Value::as_str)
                        .map_or(0.25, |text| if text == "sure" { 1.0 } else { 0.5 });
                    control.region(json!({ "text": value })).with_score(score)
                });
                Prediction::new(regions).with_mean_score()
            })
            .collect())
    };
    TestClient::new(FnModel::new("Echo").predict_fn(predict))
}

fn body(tasks: &Value) -> Value {
    json!({ "tasks": tasks, "project": "1.1", "label_config": PAGES })
}

fn pages(id: u64, texts: &[&str]) -> Value {
    let pages: Vec<_> = texts.iter().map(|text| json!({ "text": text })).collect();
    json!({ "id": id, "data": { "title": "T", "pages": pages } })
}

/// Returns `from_name`, `to_name` and text of each region.
fn regions(prediction: &Value) -> Vec<[String; 3]> {
    let regions = prediction["result"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    regions
        .map(|region| {
            [
                text(&region["from_name"]),
                text(&region["to_name"]),
                text(&region["value"]["text"]),
            ]
        })
        .collect()
}

fn owned(regions: &[[&str; 3]]) -> Vec<[String; 3]> {
    regions
        .iter()
        .map(|region| region.map(str::to_owned))
        .collect()
}

#[test]
fn a_task_has_the_regions_of_all_its_entries() {
    let calls = Arc::default();
    let client = echo(&calls);
    let tasks = json!([pages(7, &["a", "sure"]), pages(8, &["c"])]);
    let answer = client.predict(&body(&tasks));
    let found = &answer["results"];
    assert_eq!(
        regions(&found[0]),
        owned(&[
            ["kind", "all", "T"],
            ["labels_0", "page_0", "a"],
            ["labels_1", "page_1", "sure"],
        ])
    );
    assert_eq!(
        regions(&found[1]),
        owned(&[["kind", "all", "T"], ["labels_0", "page_0", "c"]])
    );
    assert_eq!(found[0]["score"], json!((0.5 + 0.5 + 1.0) / 3.0));
    assert_eq!(found[0]["model_version"], "0.0.1");
    let calls = calls.lock().unwrap();
    let tasks: Vec<_> = calls.iter().map(|call| call["tasks"].clone()).collect();
    assert_eq!(tasks, [json!([7, 8]), json!([7])], "tasks run together");
}

#[test]
fn a_region_of_one_entry_is_answered_there() {
    let calls = Arc::default();
    let client = echo(&calls);
    let region = |idx: u8| json!({ "from_name": format!("labels_{idx}"), "to_name": format!("page_{idx}"), "type": "labels", "value": {} });
    let mut request = body(&json!([pages(7, &["a", "b", "c"])]));
    request["params"] = json!({ "context": { "result": [region(0), region(1)] } });
    let answer = client.predict(&request);
    assert_eq!(
        regions(&answer["results"][0]),
        owned(&[["kind", "all", "T"], ["labels_1", "page_1", "b"]])
    );
    assert_eq!(calls.lock().unwrap()[0]["drawn"], json!([region(1)]));

    let outside = json!({ "from_name": "kind", "to_name": "all", "type": "choices", "value": {} });
    request["params"] = json!({ "context": { "result": [outside] } });
    let answer = client.predict(&request);
    assert_eq!(regions(&answer["results"][0]).len(), 4, "{answer}");
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 4);
    assert!(
        calls[1..]
            .iter()
            .all(|call| call["drawn"] == json!([outside]))
    );
}

#[test]
fn setup_accepts_a_label_config_with_repeaters() {
    let client = echo(&Arc::default());
    let setup = json!({ "project": "1.1", "schema": PAGES });
    let (status, answer) = client.post("/setup", &setup);
    assert_eq!((status, &answer["model_version"]), (200, &json!("0.0.1")));
}

#[test]
fn a_task_without_entries_costs_no_other_task_its_prediction() {
    let config = r#"<View><Repeater on="$pages"><Text name="page_{{idx}}" value="$pages[{{idx}}].text"/>
        <Labels name="labels_{{idx}}" toName="page_{{idx}}"><Label value="A"/></Labels></Repeater></View>"#;
    let client = echo(&Arc::default());
    let tasks = json!([{ "id": 1, "data": {} }, pages(2, &["a"])]);
    let mut request = body(&tasks);
    request["label_config"] = json!(config);
    let answer = client.predict(&request);
    let error = answer["results"][0]["error"].as_str().unwrap();
    assert!(error.contains("missing or empty"), "{error}");
    assert_eq!(
        regions(&answer["results"][1]),
        owned(&[["labels_0", "page_0", "a"]])
    );
}

/// Answers each entry with what `answer` returns for its position.
fn answering(answer: fn(usize) -> anyhow::Result<TaskPrediction>) -> (u16, Value) {
    let predict = move |project: &Project, request: &PredictRequest| {
        let name = &project.label_config().controls().last().unwrap().name;
        let idx = name.rsplit('_').next().unwrap().parse().unwrap();
        let answers = request.tasks.iter().map(|_| answer(idx));
        answers.collect::<anyhow::Result<Predictions>>()
    };
    let client = TestClient::new(FnModel::new("Answer").predict_fn(predict));
    client.post("/predict", &body(&json!([pages(1, &["a", "b"])])))
}

#[test]
fn failures_and_lists_of_predictions_are_joined() {
    let (status, answer) = answering(|idx| match idx {
        0 => Ok(Prediction::new([] as [Value; 0]).into()),
        _ => anyhow::bail!("page {idx} is torn"),
    });
    assert_eq!(status, 500);
    assert_eq!(answer["detail"], "page 1 is torn");
    let (status, answer) = answering(|_| anyhow::bail!("no model"));
    assert_eq!((status, &answer["detail"]), (500, &json!("no model")));

    let (_, answer) = answering(|idx| {
        let region = || Region::new(format!("labels_{idx}"), "page", "labels", json!({}));
        let score = if idx == 0 { 0.5 } else { 1.0 };
        Ok(vec![
            Prediction::new([region()]).with_score(score),
            Prediction::new([region()]).with_score(0.25),
        ]
        .into())
    });
    let several = answer["results"][0].as_array().unwrap();
    let scores: Vec<_> = several.iter().map(|one| one["score"].clone()).collect();
    assert_eq!(scores, [json!(0.75), json!(0.25)]);
    assert_eq!(several[0]["result"].as_array().unwrap().len(), 2);

    let (_, answer) = answering(|_| {
        let mut prediction = Prediction::new([] as [Value; 0]);
        prediction.score = None;
        Ok(TaskPrediction::Unscored(prediction))
    });
    assert!(answer["results"][0].get("score").is_none(), "{answer}");
}

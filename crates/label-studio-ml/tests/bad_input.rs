//! Bad input: a clear error each time, and a server that goes on.

use label_studio_ml::{FnModel, Prediction, Predictions, Value, anyhow, json, testing::TestClient};

const JSON: (&str, &str) = ("content-type", "application/json");

fn client() -> TestClient {
    TestClient::new(FnModel::new("Echo").predict_fn(|_, request| {
        Ok(request
            .tasks
            .iter()
            .map(|_| Prediction::new(Vec::<Value>::new()))
            .collect())
    }))
}

fn check(path: &str, headers: &[(&str, &str)], body: impl Into<String>, expected: u16, part: &str) {
    let client = client();
    let (status, answer) = client.send("POST", path, headers, body.into());
    assert_eq!(status, expected, "{answer}");
    let detail = answer["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(part), "{detail:?} does not say {part:?}");
    assert_eq!(client.get("/health").0, 200, "the server lives on");
}

#[test]
fn a_body_must_be_a_json_object() {
    check("/predict", &[JSON], "", 400, "empty");
    check("/predict", &[JSON], "{", 400, "EOF");
    check("/predict", &[JSON], "[]", 400, "not a JSON object");
    check("/setup", &[JSON], "null", 400, "not a JSON object");
    check("/webhook", &[JSON], "\"x\"", 400, "not a JSON object");
    check(
        "/predict",
        &[("content-type", "text/plain")],
        "{}",
        415,
        "Content-Type: application/json",
    );
    check("/webhook", &[], "{}", 415, "Content-Type: application/json");
}

#[test]
fn tasks_must_be_a_list_of_objects_with_data() {
    check(
        "/predict",
        &[JSON],
        r#"{"tasks": {}}"#,
        400,
        "list of tasks",
    );
    check(
        "/predict",
        &[JSON],
        r#"{"tasks": null}"#,
        400,
        "list of tasks",
    );
    check(
        "/predict",
        &[JSON],
        r#"{"tasks": [{"data": {}}, {"id": 7}]}"#,
        400,
        "tasks[1]: missing field `data`",
    );
    check("/predict", &[JSON], r#"{"tasks": [5]}"#, 400, "tasks[0]");
    check(
        "/predict",
        &[JSON],
        r#"{"tasks": [{"data": "x"}]}"#,
        400,
        "tasks[0]",
    );
}

#[test]
fn what_only_python_reads_does_not_cost_the_tasks_beside_it() {
    let seen = |request: &label_studio_ml::PredictRequest| {
        let region = |task: &label_studio_ml::Task| {
            let annotations = task.annotations().unwrap();
            let n_regions: usize = annotations.iter().map(|one| one.result.len()).sum();
            json!({ "data": task.data, "n_regions": n_regions })
        };
        let regions = request.tasks.iter().map(region);
        regions.map(|region| Prediction::new([region])).collect()
    };
    let client =
        TestClient::new(FnModel::new("Seen").predict_fn(move |_, request| Ok(seen(request))));
    let body = r#"{"tasks": [{"data": {"t": "good"}},
        {"data": {"t": "\ud83d", "n": NaN, "m": -Infinity, "o": 1e999},
         "annotations": [{"result": [{"value": {"text": "\udc00"}}]}]}], "project": "1"}"#;
    let (status, answer) = client.send("POST", "/predict", &[JSON], body.to_owned());
    assert_eq!(status, 200, "{answer}");
    let expected =
        json!({ "data": { "t": "\u{fffd}", "n": null, "m": null, "o": null }, "n_regions": 1 });
    assert_eq!(answer["results"][1]["result"][0], expected);
    assert_eq!(
        answer["results"][0]["result"][0]["data"],
        json!({ "t": "good" })
    );
    for (path, body) in [
        (
            "/setup",
            r#"{"project": "1", "schema": "<View/>", "extra_params": {"a": NaN, "b": "\ud800"}}"#,
        ),
        (
            "/webhook",
            r#"{"action": "START_TRAINING", "project": {"id": 1, "x": NaN, "title": "\udfff"}}"#,
        ),
    ] {
        let (status, answer) = client.send("POST", path, &[JSON], body.to_owned());
        assert!(status < 300, "{path}: {answer}");
    }
    // The place of an error is that in the body as it was sent.
    check(
        "/predict",
        &[JSON],
        r#"{"a": NaN, "b": ?}"#,
        400,
        "column 7",
    );
}

#[test]
fn a_compressed_body_is_refused_unread() {
    let gzip = ("content-encoding", "gzip");
    check("/predict", &[JSON, gzip], "{}", 415, "Content-Encoding");
    let identity = ("content-encoding", "Identity");
    let (status, _) = client().send(
        "POST",
        "/predict",
        &[JSON, identity],
        r#"{"tasks": []}"#.to_owned(),
    );
    assert_eq!(status, 200);
}

#[test]
fn deep_json_is_refused_where_it_is_read_and_skipped_elsewhere() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(
        "/predict",
        &[JSON],
        format!(r#"{{"tasks": [{{"data": {{"x": {deep}}}}}]}}"#),
        400,
        "recursion limit",
    );
    check(
        "/webhook",
        &[JSON],
        format!(r#"{{"action": "START_TRAINING", "x": {deep}}}"#),
        400,
        "recursion limit",
    );
    let (status, _) = client().send(
        "POST",
        "/predict",
        &[JSON],
        format!(r#"{{"tasks": [{{"data": {{}}, "annotations": {deep}}}], "x": {deep}}}"#),
    );
    assert_eq!(status, 200, "fields that are not read do no harm");
}

#[test]
fn broken_label_configs_are_refused() {
    let body =
        |config: &str| json!({ "tasks": [], "project": "1", "label_config": config }).to_string();
    check("/predict", &[JSON], body("<View>"), 400, "label config");
    check(
        "/predict",
        &[JSON],
        body("<!DOCTYPE x [<!ENTITY a 'b'>]><View/>"),
        400,
        "DTD",
    );
    check(
        "/predict",
        &[JSON],
        body(&"<View>".repeat(100_000)),
        400,
        "label config",
    );
    let setup = json!({ "project": "1", "schema": "<a><b></a></b>" }).to_string();
    check("/setup", &[JSON], setup, 400, "label config");
}

#[test]
fn a_label_config_of_five_megabytes_is_read() {
    let choices = "<Choice value=\"a label with a rather long name\"/>".repeat(100_000);
    let config = format!(
        "<View><Text name=\"t\" value=\"$t\"/><Choices name=\"c\" toName=\"t\">{choices}</Choices></View>"
    );
    let (status, answer) = client().post(
        "/predict",
        &json!({ "tasks": [{ "data": {} }], "project": "1", "label_config": config }),
    );
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_body_that_announces_a_gigabyte_is_refused_unread() {
    let headers = [JSON, ("content-length", "1073741824")];
    check("/predict", &headers, "{}", 413, "MAX_BODY_MB");
}

#[test]
fn unknown_paths_and_methods_answer_json() {
    let (status, answer) = client().get("/nope");
    assert_eq!(
        (status, &answer["detail"]),
        (404, &json!("there is no /nope"))
    );
    let (status, answer) = client().get("/predict");
    assert_eq!(
        (status, &answer["detail"]),
        (405, &json!("/predict does not take GET"))
    );
    assert_eq!(client().get("/health/").0, 404);
}

#[test]
fn a_panic_costs_one_request() {
    let client = TestClient::new(FnModel::new("Fragile").predict_fn(|_, request| {
        assert!(!request.tasks.is_empty(), "no tasks at all");
        Ok(request
            .tasks
            .iter()
            .map(|_| Prediction::new(Vec::<Value>::new()))
            .collect())
    }));
    let (status, answer) = client.post("/predict", &json!({ "tasks": [] }));
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("the model panicked: no tasks at all"),
        "{answer}"
    );
    client.predict(&json!({ "tasks": [{ "data": {} }] }));
}

#[test]
fn an_answer_of_the_wrong_length_is_an_error_of_the_model() {
    let one = |_: &_, _: &_| Ok([Prediction::new(Vec::<Value>::new())].into_iter().collect());
    let client = TestClient::new(FnModel::new("Forgetful").predict_fn(one));
    let (status, answer) = client.post(
        "/predict",
        &json!({ "tasks": [{ "data": {} }, { "data": {} }] }),
    );
    assert_eq!(
        (status, &answer["detail"]),
        (
            500,
            &json!("the model answered with 1 predictions for 2 tasks")
        )
    );
}

#[test]
fn a_task_that_fails_leaves_the_others_their_predictions() {
    let client = TestClient::new(FnModel::new("Picky").predict_fn(|_, request| {
        let predict = |text: Option<&str>| match text {
            Some(_) => Ok(Prediction::new(Vec::<Value>::new())),
            None => Err(anyhow::anyhow!("the task has no text")),
        };
        Ok(request
            .tasks
            .iter()
            .map(|task| predict(task.text("text")))
            .collect::<Predictions>())
    }));
    let answer = client.predict(&json!({ "tasks": [{ "data": { "text": "a" } }, { "data": {} }] }));
    assert_eq!(answer["results"][0]["result"], json!([]));
    assert_eq!(
        answer["results"][1],
        json!({ "error": "the task has no text" })
    );
    let (status, answer) = client.post("/predict", &json!({ "tasks": [{ "data": {} }] }));
    assert_eq!(
        (status, &answer["detail"]),
        (500, &json!("the task has no text"))
    );
}

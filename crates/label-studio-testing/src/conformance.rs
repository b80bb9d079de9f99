//! What Label Studio needs of every backend.

use label_studio_ml::{Value, json, testing::TestClient};

use crate::check_results;

/// Checks what Label Studio needs of every backend, and returns the predictions: one per task.
///
/// The backend answers the health check, connects to a project, predicts these tasks with regions that Label Studio's
/// validator accepts, and goes on when a request is not usable.
///
/// # Panics
/// When the backend fails one of the checks.
pub fn check_backend(client: &TestClient, label_config: &str, tasks: &[Value]) -> Vec<Value> {
    let (status, health) = client.get("/health");
    assert_eq!((status, &health["status"]), (200, &json!("UP")), "{health}");
    assert!(health["model_class"].is_string(), "{health}");

    let setup =
        json!({ "project": "1.1", "schema": label_config, "hostname": "", "access_token": "" });
    let (status, setup) = client.post("/setup", &setup);
    assert_eq!(status, 200, "/setup answered {setup}");
    assert!(setup["model_version"].is_string(), "{setup}");

    let predict = |tasks: &[Value]| {
        let body = json!({ "tasks": tasks, "project": "1.1", "label_config": label_config });
        let mut answer = client.predict(&body);
        match answer["results"].take() {
            Value::Array(results) => results,
            other => panic!("results is no list: {other}"),
        }
    };
    assert_eq!(
        predict(&[]),
        Vec::<Value>::new(),
        "no tasks, no predictions"
    );
    let (status, answer) = client.post("/predict", &json!({ "tasks": 1 }));
    assert!((400..500).contains(&status), "{status} {answer}");

    let predictions = predict(tasks);
    assert_eq!(predictions.len(), tasks.len(), "one prediction per task");
    for prediction in &predictions {
        check_prediction(label_config, prediction);
    }
    let with_bad = [&[json!({ "id": 1, "data": {} })], tasks].concat();
    assert_eq!(
        predict(&with_bad).len(),
        with_bad.len(),
        "a task without data costs no other task its prediction"
    );
    predictions
}

/// Checks that Label Studio stores a prediction, as [`check_results`] does.
///
/// # Panics
/// When Label Studio would refuse the prediction.
pub fn check_prediction(label_config: &str, prediction: &Value) {
    assert!(prediction.get("error").is_none(), "{prediction}");
    check_results(label_config, &json!([prediction]));
}

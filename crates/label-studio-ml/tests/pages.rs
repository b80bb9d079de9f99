//! Routes for people and for machines that watch.

use label_studio_ml::{FnModel, Prediction, Predictions, Value, json, testing::TestClient};

fn client() -> TestClient {
    let empty = || Prediction::new(Vec::<Value>::new());
    let model = FnModel::new("Watched").predict_fn(move |_, request| {
        let predictions: Predictions = request.tasks.iter().map(|_| empty()).collect();
        Ok(predictions)
    });
    TestClient::new(model.update_fn(|_, _| Ok(Value::Null)))
}

#[test]
fn metrics_have_the_names_units_and_counts_that_dashboards_ask_for() {
    let client = client();
    let tasks = |n: usize| json!({ "tasks": vec![json!({ "data": {} }); n], "project": "1.1" });
    assert_eq!(client.post("/predict", &tasks(1)).0, 200);
    assert_eq!(client.post("/predict", &tasks(3)).0, 200);
    let event = json!({ "action": "START_TRAINING", "project": { "id": 1 } });
    assert_eq!(client.post("/webhook", &event).0, 201);
    let headers = [("accept", "application/json")];
    let (_, metrics) = client.send("GET", "/metrics", &headers, "");
    let sample = |name: &str| metrics["samples"][name].as_f64();
    let prefixed = |name: &str| sample(&format!("label_studio_ml_{name}"));
    assert_eq!(
        prefixed(r#"requests_total{route="/predict",status="200"}"#),
        Some(2.0)
    );
    assert_eq!(
        prefixed(r#"request_duration_seconds_count{route="/predict"}"#),
        Some(2.0)
    );
    assert_eq!(
        prefixed(r#"request_duration_seconds_bucket{le="100.0",route="/predict"}"#),
        Some(2.0)
    );
    assert_eq!(prefixed("tasks_total"), Some(4.0));
    assert_eq!(prefixed("batch_tasks_sum"), Some(4.0));
    assert_eq!(prefixed(r#"model_calls_total{outcome="ok"}"#), Some(2.0));
    assert_eq!(prefixed("queue_wait_seconds_count"), Some(2.0));
    assert_eq!(prefixed("model_call_duration_seconds_count"), Some(2.0));
    assert_eq!(prefixed("queue_depth"), Some(0.0));
    assert_eq!(prefixed("requests_in_flight"), Some(1.0), "this one");
    assert_eq!(prefixed("jobs_pending"), Some(0.0));
    assert_eq!(prefixed(r#"jobs_ended_total{state="done"}"#), Some(1.0));
    assert!(sample("process_resident_memory_bytes") > Some(1e6));
    assert!(sample("process_start_time_seconds") > Some(1e9));
}

#[test]
fn a_dashboard_asks_only_for_metrics_that_there_are() {
    let client = client();
    let body = json!({ "tasks": [{ "data": {} }], "project": "1.1" });
    client.post("/predict", &body);
    let (_, text) = client.send("GET", "/metrics", &[("accept", "application/json")], "");
    let known = text["samples"].as_object().unwrap();
    let files = [
        include_str!("../../../deploy/grafana-dashboard.json"),
        include_str!("../../../deploy/alerts.yml"),
    ];
    // Families without a sample so far: other outcomes, trainings, media and Python's workers.
    let later = ["jobs_ended_total", "media_", "worker_restarts_total"];
    let mut n_found = 0;
    for part in files
        .iter()
        .flat_map(|file| file.split("label_studio_ml_").skip(1))
    {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = &part[..end.unwrap_or(part.len())];
        let is_known = known
            .keys()
            .any(|key| key.starts_with(&format!("label_studio_ml_{name}")));
        let is_later = later.iter().any(|prefix| name.starts_with(prefix));
        assert!(is_known || is_later, "there is no metric {name}");
        n_found += 1;
    }
    assert!(n_found > 30, "the files are read");
}

#[test]
fn a_page_describes_the_routes_and_runs_nothing() {
    let client = client();
    let (status, _) = client.get("/live");
    assert_eq!(status, 200);
    let page = client.page("/docs");
    let header = |name: &str| page.headers()[name].to_str().unwrap();
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let text = str::from_utf8(page.body()).unwrap();
    for part in ["POST /predict", "/jobs/{id}/log", "PredictBody", "<main>"] {
        assert!(text.contains(part), "{part}");
    }
    for part in ["<script", "<style", "style=", "http://", "https://"] {
        assert!(!text.contains(part), "{part}");
    }
}

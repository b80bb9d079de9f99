//! How long a `/predict` takes through the whole server, without a socket.

use divan::Bencher;
use label_studio_ml::{FnModel, Prediction, json, testing::TestClient};

const CONFIG: &str = r#"<View><Text name="text" value="$text"/><Choices name="mood" toName="text">
    <Choice value="Happy"/><Choice value="Sad"/></Choices></View>"#;

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 50])]
fn round_trip(bencher: Bencher<'_, '_>, n_tasks: usize) {
    let model = FnModel::new("Happy").predict_fn(|project, request| {
        let pair = project.label_config().first_pair("Choices", "Text")?;
        let region = pair.control.region(json!({ "choices": ["Happy"] }));
        Ok(request
            .tasks
            .iter()
            .map(|_| Prediction::new([region.clone()]))
            .collect())
    });
    let client = TestClient::new(model);
    let task = json!({
        "id": 1, "data": { "text": "the quick brown fox jumps over the lazy dog ".repeat(8) }, "meta": {},
        "created_at": "2026-03-20T20:50:22.955810Z", "updated_at": "2026-03-20T20:50:22.955819Z", "is_labeled": false,
        "overlap": 1, "inner_id": 1, "total_annotations": 0, "project": 6, "annotations": [], "predictions": [],
    });
    let body = json!({
        "tasks": vec![task; n_tasks], "project": "6.1710967805", "label_config": CONFIG,
        "params": { "login": null, "password": null, "context": null },
    });
    let body = body.to_string();
    let headers = [("content-type", "application/json")];
    bencher.bench_local(|| client.send("POST", "/predict", &headers, body.clone()));
}

//! Images that are none, are broken or are too large: an error for their task, the others are read.

mod support;

use std::fs;

use label_studio_ml::{Value, json};
use label_studio_testing::images;
use support::{LABEL_CONFIG, backend, fixture};

#[test]
fn each_costs_its_task_only() {
    let (pixels, bytes) = (
        images::MAX_PIXELS.to_string(),
        images::MAX_BYTES.to_string(),
    );
    let client = backend(&[
        "--read-pages",
        "lines",
        "--max-image-pixels",
        &pixels,
        "--max-image-bytes",
        &bytes,
    ]);
    let whole = fs::read(fixture("turned.png")).unwrap();
    images::check_each(&whole, |data| {
        let tasks: Vec<Value> = data.iter().map(|data| json!({ "data": data })).collect();
        let body = json!({ "tasks": tasks, "label_config": LABEL_CONFIG, "project": "1.1" });
        let mut results = client.predict(&body)["results"].as_array().unwrap().clone();
        // The ids are random.
        for result in &mut results {
            for region in result["result"].as_array_mut().into_iter().flatten() {
                region["id"] = Value::Null;
            }
        }
        results
    });
}

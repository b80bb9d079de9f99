//! Images that are none, are broken or are too large: an error for their task, the others are
//! answered.

mod support;

use std::fs;

use label_studio_ml::{Value, testing::TestClient};
use label_studio_testing::images;
use support::{POLYGONS, client, fixture, results};

/// The answers without the ids, which are never the same.
fn without_ids(client: &TestClient, tasks: &[Value]) -> Vec<Value> {
    let mut results = results(client, POLYGONS, tasks);
    let regions = results
        .iter_mut()
        .filter_map(|result| result["result"].as_array_mut());
    for region in regions.flatten() {
        region.as_object_mut().unwrap().remove("id");
    }
    results
}

#[test]
fn each_costs_its_task_only() {
    let (max_pixels, max_bytes) = (
        images::MAX_PIXELS.to_string(),
        images::MAX_BYTES.to_string(),
    );
    let client = client(&[
        "--max-image-pixels",
        &max_pixels,
        "--max-image-bytes",
        &max_bytes,
    ]);
    let whole = fs::read(fixture("lines.png")).unwrap();
    images::check_each(&whole, |tasks| without_ids(&client, tasks));
}

#[test]
fn of_an_animation_the_first_frame_counts() {
    let client = client(&[]);
    images::check_animation(|tasks| without_ids(&client, tasks));
}

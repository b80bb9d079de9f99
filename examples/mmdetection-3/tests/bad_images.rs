//! Images that are none, are broken or are too large: an error for their task, the others are answered.

mod support;

use std::fs;

use label_studio_ml::{Value, testing::TestClient};
use label_studio_services::aws::PresignedUrls;
use label_studio_testing::images;
use support::{fixture, tiny_model};

const CONFIG: &str = "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"label\" toName=\"image\" \
    model_score_threshold=\"0.3\"><Label value=\"Car\"/><Label value=\"Airplane\"/></RectangleLabels></View>";

fn client() -> TestClient {
    let addresses = PresignedUrls::default();
    TestClient::new(tiny_model("rtmdet-raw.onnx", addresses, |options| {
        options.images.limits.max_pixels = images::MAX_PIXELS;
        options.images.limits.max_bytes = images::MAX_BYTES;
    }))
}

fn results(client: &TestClient, tasks: &[Value]) -> Vec<Value> {
    support::results(client, CONFIG, tasks)
}

#[test]
fn each_costs_its_task_only() {
    let client = client();
    let whole = fs::read(fixture("large.png")).unwrap();
    images::check_each(&whole, |tasks| results(&client, tasks));
}

#[test]
fn of_an_animation_the_first_frame_counts() {
    let client = client();
    images::check_animation(|tasks| results(&client, tasks));
}

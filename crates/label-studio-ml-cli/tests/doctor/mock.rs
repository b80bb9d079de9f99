//! A Label Studio with one project, and a backend below `/backend/`, on one port of this machine.

use label_studio_testing::{MockLabelStudio, label_studio::Routes};
use serde_json::{Value, json};

const LABEL_CONFIG: &str = r#"<View>
  <Text name="text" value="$text"/><Image name="image" value="$image"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
</View>"#;

/// Starts a Label Studio and a backend without any fault but those that `change` adds; returns them and their address.
///
/// With `authorization` the backend answers 401 to requests without that header.
pub(crate) fn start(
    authorization: Option<&str>,
    change: impl FnOnce(&str, &mut Routes),
) -> (MockLabelStudio, String) {
    let task = json!({ "id": 11, "data": { "text": "rain", "image": "/data/upload/1/x.png" } });
    let mock = MockLabelStudio::start(LABEL_CONFIG, &json!([task]));
    let url = mock.url("");
    if let Some(authorization) = authorization {
        mock.require_authorization("/backend/", authorization);
    }
    for (route, body) in connected(&url) {
        mock.answer(route, 200, body);
    }
    change(&url, &mut mock.routes());
    (mock, url)
}

/// A project that the backend is connected to, and the backend.
fn connected(url: &str) -> [(&'static str, Value); 8] {
    let backend =
        json!({ "id": 3, "url": format!("{url}/backend"), "title": "mood", "state": "CO" });
    let webhook = json!({ "id": 5, "url": format!("{url}/backend/webhook"), "headers": {}, "is_active": true });
    let region = json!({ "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": ["Sad"] } });
    let health = json!({ "status": "UP", "model_class": "Mood" });
    let results = json!({ "results": [{ "result": [region], "score": 0.5 }] });
    [
        ("GET /api/ml", json!([backend])),
        ("GET /api/webhooks", json!([webhook])),
        ("GET /data/upload/1/x.png", json!("pixels")),
        ("GET /backend/health", health),
        ("GET /backend/ready", json!({})),
        ("POST /backend/setup", json!({ "model_version": "v7" })),
        ("POST /backend/predict", results),
        (
            "POST /backend/webhook",
            json!({ "status": "Unknown event" }),
        ),
    ]
}

/// A label config with a smart tool, and with rectangles for what the backend answers.
pub(crate) const SMART: &str = r#"<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="Cat"/></RectangleLabels>
  <KeyPointLabels name="click" toName="image" smart="true"><Label value="Cat"/></KeyPointLabels>
</View>"#;

/// Replaces the label config of the project.
pub(crate) fn set_label_config(routes: &mut Routes, label_config: &str) {
    let project = json!({ "id": 1, "title": "Moods", "label_config": label_config });
    let projects = json!({ "results": [project], "next": null });
    routes.insert("GET /api/projects".to_owned(), (200, projects));
    routes.insert("GET /api/projects/1".to_owned(), (200, project));
}

/// Returns an answer to `/predict` with one rectangle of `SMART`.
pub(crate) fn box_around(label: &str) -> Value {
    let value = json!({
        "x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": [label],
    });
    let region = json!({
        "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": value,
        "original_width": 1000, "original_height": 1000, "image_rotation": 0,
    });
    json!({ "results": [{ "result": [region], "score": 0.5 }] })
}

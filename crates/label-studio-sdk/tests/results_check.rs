//! Checks of the answer to `/predict`.

use label_studio_sdk::{
    LabelConfig,
    values::{ImageSize, KeyPointLabelsValue, RectangleLabelsValue},
};
use serde_json::{Value, json};

const CONFIG: &str = r#"<View><Image name="image" value="$image"/><Text name="text" value="$text"/>
  <RectangleLabels name="box" toName="image"><Label value="Car"/></RectangleLabels>
  <KeyPointLabels name="point" toName="image"><Label value="Car"/></KeyPointLabels>
  <Choices name="kind" toName="image"><Choice value="Day"/></Choices>
  <Labels name="ner" toName="text"><Label value="PER"/></Labels></View>"#;

fn check(results: &Value) -> Vec<String> {
    LabelConfig::parse(CONFIG)
        .unwrap()
        .validate_results(results)
}

fn rectangle() -> Value {
    json!({
        "id": "r", "from_name": "box", "to_name": "image", "type": "rectanglelabels",
        "original_width": 640, "original_height": 480, "image_rotation": 0,
        "value": { "x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["Car"] }
    })
}

#[test]
fn what_label_studio_stores_and_exports_passes() {
    let results = json!([
        { "result": [rectangle()], "score": 0.5, "model_version": "1" },
        [
            { "result": [] },
            { "result": [{ "from_name": "kind", "to_name": "image", "type": "choices",
                           "value": { "choices": ["Day"] } }] },
        ],
        { "result": [{ "from_name": "ner", "to_name": "text", "type": "labels",
                       "value": { "start": 0, "end": 2, "labels": ["PER"] } }] },
    ]);
    assert_eq!(check(&results), [] as [&str; 0]);
}

#[test]
fn what_it_refuses_or_loses_is_named() {
    for (results, expected) in [
        (json!({}), "'results' must be a list"),
        (json!(["x"]), "results[0]: Missing required field 'result'"),
        (
            json!([{ "result": [] }, { "result": [], "model_version": null }]),
            "results[1]: 'model_version' must not be null",
        ),
        (
            json!([{ "result": [], "score": 2.0 }]),
            "results[0]: Score must be between 0.00 and 1.00 inclusive, got 2.0",
        ),
        (
            json!([[{ "result": [] }, { "result": 1 }]]),
            "results[0]: 'result' must be a list",
        ),
    ] {
        assert_eq!(check(&results), [expected]);
    }
    for field in ["original_width", "original_height", "image_rotation"] {
        for value in [None, Some(json!(null)), Some(json!("x"))] {
            let mut region = rectangle();
            match value {
                Some(value) => region[field] = value,
                None => drop(region.as_object_mut().unwrap().remove(field)),
            }
            let errors = check(&json!([{ "result": [region] }]));
            let expected = format!("results[0]: Region 0: '{field}' is missing");
            assert_eq!(errors, [expected]);
        }
    }
    let mut region = rectangle();
    region["value"].as_object_mut().unwrap().remove("rotation");
    let errors = check(&json!([{ "result": [region] }]));
    assert_eq!(
        errors,
        ["results[0]: Region 0: 'value.rotation' is missing"]
    );
}

#[test]
fn regions_of_images_are_made_complete() {
    let config = LabelConfig::parse(CONFIG).unwrap();
    let size = ImageSize {
        width: 640,
        height: 480,
    };
    let rectangle = RectangleLabelsValue {
        x: 1.0,
        y: 2.0,
        width: 3.0,
        height: 4.0,
        rotation: 0.0,
        rectanglelabels: vec!["Car".into()],
    };
    let point = KeyPointLabelsValue {
        x: 1.0,
        y: 2.0,
        keypointlabels: vec!["Car".into()],
    };
    let regions = [
        config.control("box").unwrap().image_region(rectangle, size),
        config.control("point").unwrap().image_region(point, size),
    ];
    let results = json!([{ "result": regions }]);
    assert_eq!(check(&results), [] as [&str; 0]);
    assert_eq!(results[0]["result"][1]["original_height"], 480);
}

//! Which labels a model's own class names mean.

use label_studio_sdk::LabelConfig;
use serde_json::{Value, json};

const VECTORS: [&str; 2] = [
    include_str!("../../../vectors/core_label_map.json"),
    include_str!("../../../vectors/own_label_map.json"),
];

fn check(config: &str, control: &str, model_names: &[&str], expected: &Value) {
    let map = LabelConfig::parse(config)
        .unwrap()
        .label_map(control, model_names);
    assert_eq!(json!(map), *expected, "{config} {model_names:?}");
}

#[test]
fn maps_every_vector() {
    let vectors = VECTORS.map(|vectors| serde_json::from_str::<Value>(vectors).unwrap());
    for case in vectors
        .iter()
        .flat_map(|vectors| vectors["cases"].as_array().unwrap())
    {
        let names: Vec<_> = case["model_names"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let expected = match case["name"].as_str().unwrap() {
            // The original writes the lower-cased label as key, which no model ever asks for.
            "model_upper_case_quirk" => json!({ "CAR": "Car" }),
            _ => case["map"].clone(),
        };
        check(case["config"].as_str().unwrap(), "label", &names, &expected);
    }
}

#[test]
fn later_labels_win_and_keys_are_the_models_own_names() {
    let config = r#"<View><Image name="i" value="$i"/><RectangleLabels name="l" toName="i">
        <Label value="Car"/><Label value="Auto" predicted_values="car,unknown"/><Label value="bus" predicted_values="none"/>
        </RectangleLabels></View>"#;
    check(
        config,
        "l",
        &["car", "Bus", "BUS"],
        &json!({ "car": "Auto", "Bus": "bus" }),
    );
    check(
        config,
        "l",
        &["Car", "car"],
        &json!({ "Car": "Car", "car": "Auto" }),
    );
    check(config, "missing", &["car"], &json!({}));
    check(config, "l", &[], &json!({}));
}

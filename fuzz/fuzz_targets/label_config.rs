//! The XML of a label config: refused, or every view of it can be asked for.

#![no_main]

use label_studio_sdk::LabelConfig;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

fuzz_target!(|xml: &str| {
    let Ok(config) = LabelConfig::parse(xml) else {
        return;
    };
    serde_json::to_string(&config.parse_config()).expect("a view of a config is JSON");
    let _ = config.validate();
    let _ = config.sample_task();
    let data = config
        .objects()
        .iter()
        .map(|object| (object.value_name.clone(), json!("text")));
    let _ = config.load_task(&data.collect());
    for control in config.controls() {
        for object in config.objects() {
            let _ = config.first_pair(control.tag.as_str(), object.tag.as_str());
        }
        let payload = control
            .labels
            .first()
            .map_or(json!("text"), |label| json!(label));
        let payloads = Map::from_iter([(control.name.clone(), payload)]);
        let Ok(regions) = config.create_regions(&payloads) else {
            continue;
        };
        let result = serde_json::to_value(regions).expect("regions are JSON");
        let _ = config.validate_prediction(&json!({ "result": result, "score": 0.5 }));
    }
    let _ = config.validate_prediction(&Value::Null);
});

//! What Label Studio and its exports need of predictions.

use label_studio_ml::{LabelConfig, Value, json};

/// Checks the `results` of an answer to `/predict`: Label Studio stores all of it (score, names,
/// types, labels, shape of the values), and its exports (COCO, YOLO, Pascal VOC) lose no region on
/// an image. See [`LabelConfig::validate_results`].
///
/// Tasks that failed, with `{"error"}`, are skipped.
///
/// # Panics
/// When Label Studio would refuse or lose something, or when a region on an image has no id.
pub fn check_results(label_config: &str, results: &Value) {
    let label_config = LabelConfig::parse(label_config).expect("the label config is valid");
    let results = results.as_array().expect("results are a list");
    let predicted = results.iter().filter(|entry| entry.get("error").is_none());
    let results: Value = predicted.cloned().collect();
    let errors = label_config.validate_results(&results);
    assert!(errors.is_empty(), "{errors:#?} in {results}");
}

/// Checks the `results` of an answer to an interactive request as [`check_results`] does. Label
/// Studio does not check them itself: their regions may have no label.
///
/// # Panics
/// When something else is wrong.
pub fn check_interactive_results(label_config: &str, results: &Value) {
    let mut results = results.clone();
    let predictions = results.as_array_mut().expect("results are a list");
    let regions = predictions
        .iter_mut()
        .filter_map(|prediction| prediction.get_mut("result")?.as_array_mut());
    for region in regions.flatten() {
        let kind = region["type"].as_str().unwrap_or_default().to_owned();
        if kind.ends_with("labels") && region["value"].get(&kind).is_none() {
            region["value"][kind] = json!([]);
        }
    }
    check_results(label_config, &results);
}

/// Checks that each region of the `results` of an answer to `/predict` has an id.
///
/// # Panics
/// When a region has none.
pub fn check_ids(results: &Value) {
    let predictions = results.as_array().expect("results are a list").iter();
    let regions = predictions.filter_map(|prediction| prediction["result"].as_array());
    for region in regions.flatten() {
        assert!(region["id"].is_string(), "no id: {region}");
    }
}

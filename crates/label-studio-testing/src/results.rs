//! What Label Studio and its exports need of predictions.

use label_studio_ml::{LabelConfig, Value};

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

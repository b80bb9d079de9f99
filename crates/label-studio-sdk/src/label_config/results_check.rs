//! Checks of the answer to `/predict`.

use serde_json::{Map, Value};

use super::LabelConfig;
use crate::values::ValueKind;

impl LabelConfig {
    /// Checks the `results` of an answer to `/predict`: one prediction per task, or a list of them. Returns the problems; an
    /// empty list when Label Studio stores all of it.
    ///
    /// Each prediction is checked by [`LabelConfig::validate_prediction`]. Besides, a `model_version` must not be null, with
    /// which Label Studio refuses the whole batch, and regions of images must have what Label Studio's exports to COCO,
    /// YOLO and Pascal VOC need: `original_width`, `original_height`, `image_rotation` and, for rectangles and ellipses,
    /// `value.rotation`. Meant for the tests of a backend.
    pub fn validate_results(&self, results: &Value) -> Vec<String> {
        let Some(entries) = results.as_array() else {
            return vec!["'results' must be a list".to_owned()];
        };
        let mut errors = Vec::new();
        for (idx, entry) in entries.iter().enumerate() {
            let predictions = match entry {
                Value::Array(predictions) => predictions.as_slice(),
                prediction => std::slice::from_ref(prediction),
            };
            for prediction in predictions {
                let found = self.errors_of(prediction).into_iter();
                errors.extend(found.map(|error| format!("results[{idx}]: {error}")));
            }
        }
        errors
    }

    fn errors_of(&self, prediction: &Value) -> Vec<String> {
        let mut errors = self.validate_prediction(prediction);
        if prediction.get("model_version").is_some_and(Value::is_null) {
            errors.push("'model_version' must not be null".to_owned());
        }
        let regions = prediction.get("result").and_then(Value::as_array);
        for (idx, region) in regions.into_iter().flatten().enumerate() {
            let Some(region) = region.as_object().filter(|region| self.is_on_image(region)) else {
                continue;
            };
            let missing = missing_of_image(region).into_iter();
            errors.extend(missing.map(|field| format!("Region {idx}: '{field}' is missing")));
        }
        errors
    }

    /// Returns whether a region marks a part of an image, rather than saying something about all of it.
    fn is_on_image(&self, region: &Map<String, Value>) -> bool {
        let text = |field: &str| region.get(field).and_then(Value::as_str);
        let object = text("to_name").and_then(|name| self.object(name).ok());
        let is_image = object.is_some_and(|object| object.tag.eq_ignore_ascii_case("Image"));
        is_image && has_place(region)
    }
}

/// Returns whether a value says where something is.
fn has_place(region: &Map<String, Value>) -> bool {
    let value = &region.get("value").unwrap_or(&Value::Null);
    ["x", "points", "rle", "vertices", "imageDataURL"]
        .iter()
        .any(|field| value.get(field).is_some())
}

fn missing_of_image(region: &Map<String, Value>) -> Vec<&'static str> {
    let is_size = |field: &&&str| {
        let size = region.get(**field).and_then(Value::as_u64);
        size.is_none_or(|size| size == 0)
    };
    let sizes = ["original_width", "original_height"];
    let mut missing: Vec<_> = sizes.iter().filter(is_size).copied().collect();
    if !region.get("image_rotation").is_some_and(Value::is_number) {
        missing.push("image_rotation");
    }
    let kind = region.get("type").and_then(Value::as_str);
    let is_rotated = kind
        .and_then(ValueKind::of)
        .is_some_and(|kind| kind.fields().contains(&"rotation"));
    let rotation = region.get("value").and_then(|value| value.get("rotation"));
    if is_rotated && !rotation.is_some_and(Value::is_number) {
        missing.push("value.rotation");
    }
    missing
}

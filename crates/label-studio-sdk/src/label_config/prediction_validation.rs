//! Checks of predictions and annotations, with the messages of Label Studio's own SDK.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Control, LabelConfig};
use crate::{
    python::{Repr, ReprList, Str, float, type_name},
    values::ValueKind,
};

impl LabelConfig {
    /// Checks a prediction as Label Studio does when it imports one: fields, names, types, labels, geometry, relations and
    /// score. Returns the problems; an empty list when the prediction is valid.
    pub fn validate_prediction(&self, prediction: &Value) -> Vec<String> {
        let Some(result) = prediction.get("result") else {
            return vec!["Missing required field 'result'".into()];
        };
        let Some(result) = result.as_array() else {
            return vec!["'result' must be a list".into()];
        };
        let mut errors = Vec::new();
        errors.extend(prediction.get("score").and_then(score_error));
        let check = RegionCheck::new(self, result);
        let mut valid_ids = HashSet::new();
        let mut relations = Vec::new();
        for (idx, entry) in result.iter().enumerate() {
            let Some(entry) = entry.as_object() else {
                let kind = type_name(entry);
                errors.push(format!(
                    "Region must be a dictionary. Got <class '{kind}'>: {}",
                    Str(entry)
                ));
                continue;
            };
            if entry.get("type").and_then(Value::as_str) == Some("relation") {
                relations.push((idx, entry));
                continue;
            }
            let n_errors = errors.len();
            errors.extend(
                check
                    .errors(entry)
                    .into_iter()
                    .map(|error| format!("Region {idx}: {error}")),
            );
            if errors.len() == n_errors {
                valid_ids.extend(entry.get("id").and_then(Value::as_str));
            }
        }
        for (idx, relation) in relations {
            let found = relation_errors(relation, &valid_ids);
            errors.extend(
                found
                    .into_iter()
                    .map(|error| format!("Relation {idx}: {error}")),
            );
        }
        errors
    }

    /// Checks an annotation by the rules for predictions.
    pub fn validate_annotation(&self, annotation: &Value) -> Vec<String> {
        self.validate_prediction(annotation)
    }
}

/// Checks the regions of one result.
struct RegionCheck<'a> {
    config: &'a LabelConfig,
    /// Geometry by region id: a region of type `labels` with the same id takes its fields from there.
    geometries: HashMap<&'a str, ValueKind>,
}

impl<'a> RegionCheck<'a> {
    fn new(config: &'a LabelConfig, result: &'a [Value]) -> Self {
        let mut geometries = HashMap::new();
        for region in result {
            let id = region.get("id").and_then(Value::as_str);
            let kind = region
                .get("type")
                .and_then(Value::as_str)
                .and_then(ValueKind::of);
            if let (Some(id), Some(kind)) = (id, kind)
                && SPLIT_GEOMETRIES.contains(&kind)
            {
                geometries.entry(id).or_insert(kind);
            }
        }
        Self { config, geometries }
    }

    fn errors(&self, region: &Map<String, Value>) -> Vec<String> {
        let missing = ["from_name", "to_name", "type", "value"]
            .iter()
            .filter(|field| !region.contains_key(**field));
        let mut errors: Vec<_> = missing
            .map(|field| format!("Missing required field '{field}'"))
            .collect();
        if !errors.is_empty() {
            return errors;
        }
        let (from_name, to_name) = (&region["from_name"], &region["to_name"]);
        let Some(control) = from_name
            .as_str()
            .and_then(|name| self.config.control(name).ok())
        else {
            return vec![format!(
                "'from_name' '{}' not found in configuration",
                Str(from_name)
            )];
        };
        let is_self =
            control.value_kind().is_some_and(ValueKind::labels_itself) && to_name == from_name;
        let is_known = |name: &str| is_self || self.config.object(name).is_ok();
        let Some(to_name) = to_name.as_str().filter(|name| is_known(name)) else {
            return vec![format!(
                "'to_name' '{}' not found in configuration",
                Str(to_name)
            )];
        };
        let Some(kind) = region["type"].as_str().map(str::to_lowercase) else {
            return vec![format!("Type must be text, got '{}'", Str(&region["type"]))];
        };
        let geometry = self.merged_geometry(control, &kind);
        if kind != control.kind() && geometry.is_none() {
            let (expected, name) = (control.kind(), &control.name);
            errors.push(format!(
                "Type '{kind}' does not match expected type '{expected}' for control '{name}'"
            ));
        }
        if !is_self && !control.to_name.iter().any(|name| name == to_name) {
            let (name, options) = (&control.name, ReprList(&control.to_name));
            errors.push(format!(
                "'to_name' '{to_name}' is not valid for control '{name}'. Valid options: {options}"
            ));
        }
        let is_valid = match geometry {
            Some(geometry) => is_merged_value(control, geometry, &kind, &region["value"]),
            None => self.is_value(control, region),
        };
        if !is_valid {
            errors.push(value_error(control, &region["value"]));
        }
        errors
    }

    /// Returns the geometry control that a `Labels` control shares an object with, where the region's type is that of
    /// the geometry with labels, such as `videovectorlabels`.
    fn merged_geometry(&self, labels: &Control, kind: &str) -> Option<&'a Control> {
        if !labels.tag.eq_ignore_ascii_case("labels") {
            return None;
        }
        let geometry = kind
            .strip_suffix("labels")
            .filter(|geometry| !geometry.is_empty())?;
        self.config.controls().iter().find(|control| {
            control.tag.eq_ignore_ascii_case(geometry)
                && control
                    .to_name
                    .iter()
                    .any(|name| labels.to_name.contains(name))
        })
    }

    fn is_value(&self, control: &Control, region: &Map<String, Value>) -> bool {
        let value = &region["value"];
        let value = value
            .get(&control.name)
            .filter(|nested| nested.is_object())
            .unwrap_or(value);
        let Some(kind) = control.value_kind() else {
            return !control.tag.eq_ignore_ascii_case("Relations");
        };
        match kind {
            ValueKind::Rating => is_rating(control, value) && kind.check(value).is_ok(),
            ValueKind::Ranker => kind.check(&region["value"]).is_ok(),
            ValueKind::Labels => {
                let is_split = region["type"]
                    .as_str()
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("labels"));
                let partner = region
                    .get("id")
                    .and_then(Value::as_str)
                    .and_then(|id| self.geometries.get(id));
                let fields = partner.filter(|_| is_split).unwrap_or(&kind);
                has_valid_labels(control, "labels", value) && fields.check(value).is_ok()
            }
            ValueKind::VideoRectangle
                if control.labels.is_empty() && region["value"].get("labels").is_none() =>
            {
                kind.check(&region["value"]).is_ok()
            }
            _ => {
                let has_labels = kind
                    .label_key()
                    .is_none_or(|key| has_valid_labels(control, key, value));
                has_labels && kind.check(value).is_ok()
            }
        }
    }
}

fn score_error(score: &Value) -> Option<String> {
    let number = match score {
        Value::Null => return None,
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Array(_) | Value::Object(_) => None,
    };
    match number {
        Some(number) if (0.0..=1.0).contains(&number) => None,
        Some(number) => Some(format!(
            "Score must be between 0.00 and 1.00 inclusive, got {}",
            float(number)
        )),
        None => Some(format!("Score must be a valid number, got {}", Str(score))),
    }
}

fn has_valid_labels(control: &Control, key: &str, value: &Value) -> bool {
    value
        .get(key)
        .is_some_and(|labels| control.undefined_labels(labels).is_empty())
}

fn is_rating(control: &Control, value: &Value) -> bool {
    let most = control
        .attrs
        .get("maxRating")
        .and_then(|most| most.trim().parse().ok())
        .unwrap_or(DEFAULT_MAX_RATING);
    let parsed = ValueKind::Rating.normalize(value).ok();
    parsed
        .and_then(|value| value["rating"].as_u64())
        .is_some_and(|rating| rating <= most)
}

fn is_merged_value(labels: &Control, geometry: &Control, kind: &str, value: &Value) -> bool {
    let Some(fields) = value.as_object() else {
        return false;
    };
    let chosen = fields
        .get(kind)
        .or_else(|| fields.get("labels"))
        .and_then(Value::as_array);
    let is_label = |label: &Value| {
        label
            .as_str()
            .is_some_and(|label| labels.labels_attrs.contains_key(label))
    };
    if !chosen.is_some_and(|chosen| !chosen.is_empty() && chosen.iter().all(is_label)) {
        return false;
    }
    geometry
        .value_kind()
        .is_none_or(|geometry| geometry.check(value).is_ok())
}

fn value_error(control: &Control, value: &Value) -> String {
    let (name, kind) = (&control.name, control.value_kind());
    if matches!(
        kind,
        Some(ValueKind::Rectangle | ValueKind::RectangleLabels)
    ) {
        let outside = out_of_bounds(value);
        if !outside.is_empty() {
            return format!(
                "Invalid geometry for control '{name}': {} out of bounds [0, 100]",
                outside.join(", ")
            );
        }
    }
    let fields = kind.map_or(&[][..], ValueKind::fields);
    let nested = NESTED_FIELDS.iter().filter(|name| !fields.contains(name));
    let order: Vec<_> = fields.iter().chain(nested).copied().collect();
    let got = Repr(value, &order);
    let options = if !control.labels.is_empty() {
        ReprList(&control.labels).to_string()
    } else if let Some(kind) = kind {
        format!("expected structure: {}", kind.value_type())
    } else {
        "no specific validation rules".into()
    };
    format!("Invalid value for control '{name}'. Got: {got}. Valid options: {options}")
}

fn out_of_bounds(value: &Value) -> Vec<String> {
    let is_outside = |number: &Value| {
        let number = number
            .as_f64()
            .or_else(|| number.as_str()?.trim().parse().ok());
        !number.is_some_and(|number| (0.0..=100.0).contains(&number))
    };
    ["x", "y", "width", "height"]
        .iter()
        .filter_map(|field| Some((field, value.get(field)?)))
        .filter(|(_, number)| is_outside(number))
        .map(|(field, number)| format!("{field} {}", Str(number)))
        .collect()
}

fn relation_errors(relation: &Map<String, Value>, region_ids: &HashSet<&str>) -> Vec<String> {
    let missing = ["direction", "from_id", "to_id"]
        .iter()
        .filter(|field| !relation.contains_key(**field));
    let mut errors: Vec<_> = missing
        .map(|field| format!("Missing required field '{field}'"))
        .collect();
    let direction = relation.get("direction").unwrap_or(&Value::Null);
    if !matches!(direction.as_str(), Some("left" | "right" | "bi")) {
        errors.push(format!(
            "Direction must be one of ('left', 'right', 'bi'), got '{}'",
            Str(direction)
        ));
    }
    for field in ["from_id", "to_id"] {
        let id = relation.get(field).unwrap_or(&Value::Null);
        if !id.as_str().is_some_and(|id| region_ids.contains(id)) {
            errors.push(format!("'{field}' '{}' not found in regions", Str(id)));
        }
    }
    errors
}

/// Fields inside the fields of values, in the order in which Label Studio writes them.
const NESTED_FIELDS: [&str; 16] = [
    "x",
    "y",
    "width",
    "height",
    "rotation",
    "frame",
    "time",
    "enabled",
    "closed",
    "vertices",
    "id",
    "isBezier",
    "prevPointId",
    "role",
    "content",
    "createdAt",
];
/// Stars of a `Rating` without `maxRating`.
const DEFAULT_MAX_RATING: u64 = 5;
/// Geometries that may carry their labels in a separate region of the same id.
const SPLIT_GEOMETRIES: [ValueKind; 7] = [
    ValueKind::Rectangle,
    ValueKind::Polygon,
    ValueKind::Ellipse,
    ValueKind::KeyPoint,
    ValueKind::Brush,
    ValueKind::Bitmask,
    ValueKind::Vector,
];

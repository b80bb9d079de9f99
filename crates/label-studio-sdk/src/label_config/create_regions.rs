//! Regions from answers keyed by control, as language models give them.

use serde_json::{Map, Value};

use super::{Control, LabelConfig, LabelConfigError, RegionBuilder};
use crate::{Region, values::ValueKind};

impl LabelConfig {
    /// Makes regions from payloads by name of the control, in the order of the controls. Null payloads and unknown names
    /// are skipped.
    ///
    /// Text, numbers and lists of text are labels. An object holds the fields of one region and, under `label`, its
    /// label; a list of objects makes as many regions. A list of lists is the field that takes labels, which is how
    /// `Taxonomy` takes its paths. Only labels are compared with those of the control, fields are not.
    pub fn create_regions(
        &self,
        payloads: &Map<String, Value>,
    ) -> Result<Vec<Region>, LabelConfigError> {
        let mut regions = Vec::new();
        for control in self.controls() {
            let Some(payload) = payloads.get(&control.name) else {
                continue;
            };
            for builder in control.builders(payload) {
                regions.push(builder.build()?);
            }
        }
        Ok(regions)
    }
}

impl Control {
    fn builders(&self, payload: &Value) -> Vec<RegionBuilder<'_>> {
        let whole = || vec![self.label(payload.clone())];
        match payload {
            Value::Null => Vec::new(),
            Value::Object(fields) => vec![self.builder(fields)],
            Value::Array(items) => match items.first() {
                None => Vec::new(),
                Some(Value::Object(_)) => {
                    items.iter().map(|item| self.item_builder(item)).collect()
                }
                Some(Value::Array(_)) => match self.value_kind().and_then(ValueKind::label_key) {
                    Some(key) => vec![self.unlabeled().field(key, payload.clone())],
                    None => whole(),
                },
                Some(_) => whole(),
            },
            Value::Bool(_) | Value::Number(_) | Value::String(_) => whole(),
        }
    }

    fn item_builder(&self, item: &Value) -> RegionBuilder<'_> {
        item.as_object()
            .map_or_else(|| self.label(item.clone()), |fields| self.builder(fields))
    }

    fn builder(&self, fields: &Map<String, Value>) -> RegionBuilder<'_> {
        let mut fields = fields.clone();
        let label = fields.remove("label").unwrap_or_default();
        let to_name = fields.remove("to_name");
        let builder = self.label(label).fields(fields);
        match to_name {
            Some(Value::String(to_name)) => builder.to_name(to_name),
            _ => builder,
        }
    }
}

//! Regions that are checked against their control.

use std::{collections::HashSet, sync::Arc};

use serde::de::Error;
use serde_json::{Map, Value};

use super::{Control, LabelConfigError, error::first_names};
use crate::{Region, values::ValueKind};

/// A region in the making: labels and fields, checked when it is built.
///
/// ```
/// use label_studio_sdk::LabelConfig;
/// use serde_json::json;
///
/// let config = LabelConfig::parse(
///     r#"<View><Text name="text" value="$text"/>
///        <Labels name="ner" toName="text"><Label value="PER"/></Labels></View>"#,
/// )?;
/// let region = config.control("ner")?.label("PER").field("start", 0).field("end", 5).build()?;
/// assert_eq!(region.value, json!({ "start": 0, "end": 5, "labels": ["PER"] }));
/// assert!(config.control("ner")?.label("ORG").field("start", 0).field("end", 5).build().is_err());
/// # Ok::<(), label_studio_sdk::LabelConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RegionBuilder<'a> {
    control: &'a Control,
    label: Option<Value>,
    to_name: Option<String>,
    fields: Map<String, Value>,
}

impl<'a> RegionBuilder<'a> {
    pub(super) fn new(control: &'a Control) -> Self {
        Self {
            control,
            label: None,
            to_name: None,
            fields: Map::new(),
        }
    }

    /// Sets the label, or what stands in its place. Text becomes a list of one; null means no label. Controls that make
    /// regions without labels ignore it.
    #[must_use]
    pub fn label(mut self, label: impl Into<Value>) -> Self {
        self.label = match label.into() {
            Value::Null => None,
            Value::String(text) if !self.takes_bare_text() => Some(vec![text].into()),
            label => Some(label),
        };
        self
    }

    /// Sets the object, which is the control's first one otherwise.
    #[must_use]
    pub fn to_name(mut self, to_name: impl Into<String>) -> Self {
        self.to_name = Some(to_name.into());
        self
    }

    /// Sets a field of the value.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// Sets several fields of the value.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Checks labels and value, and makes the region with a random id. Its value has exactly the fields of the control's
    /// type: others are dropped, missing optional ones get their default. A control that the SDK does not know keeps all
    /// fields, its labels under its kind. Fails for a `Relations` control, since relations connect regions.
    pub fn build(self) -> Result<Region, LabelConfigError> {
        let to_name = self.resolve_to_name()?.to_owned();
        self.check_labels()?;
        let control = self.control;
        if control.tag.eq_ignore_ascii_case("Relations") {
            let reason = serde_json::Error::custom("relations connect regions");
            return Err(invalid_value(control, reason));
        }
        let value = match control.value_kind() {
            Some(kind) => self.value(kind)?,
            None => self.unknown_value(),
        };
        Ok(Region::new(&control.name, to_name, control.kind(), value).with_new_id())
    }

    fn resolve_to_name(&self) -> Result<&str, LabelConfigError> {
        let control = self.control;
        let default = control.default_to_name();
        let to_name = self.to_name.as_deref().unwrap_or(default);
        let is_listed = control.to_name.iter().any(|name| name == to_name);
        if to_name == control.name && to_name == default || is_listed && !control.objects.is_empty()
        {
            return Ok(to_name);
        }
        Err(LabelConfigError::UnconnectedObject {
            control: control.name.clone(),
            to_name: to_name.into(),
        })
    }

    fn check_labels(&self) -> Result<(), LabelConfigError> {
        let control = self.control;
        let takes_labels = control
            .value_kind()
            .is_some_and(|kind| kind.label_key().is_some());
        let label = self
            .label
            .as_ref()
            .filter(|_| takes_labels)
            .unwrap_or(&Value::Null);
        let undefined = control.undefined_labels(label);
        if undefined.is_empty() {
            return Ok(());
        }
        Err(LabelConfigError::UndefinedLabels {
            control: control.name.clone(),
            labels: first_names(undefined.into_iter()),
            possible: first_names(control.labels.iter().map(String::as_str)),
        })
    }

    fn value(mut self, kind: ValueKind) -> Result<Value, LabelConfigError> {
        match kind {
            ValueKind::ReactCode => {
                if let Some(label) = self.label.take() {
                    self.fields.insert("label".into(), label);
                }
                let screen = Value::Object(std::mem::take(&mut self.fields));
                self.fields.insert("reactcode".into(), screen);
            }
            ValueKind::ParagraphLabels => {
                if let Some(utterance) = self.fields.remove("utterance").filter(Value::is_i64) {
                    self.fields.insert("start".into(), utterance.clone());
                    self.fields.insert("end".into(), utterance);
                }
            }
            _ => {}
        }
        if let (Some(key), Some(label)) = (kind.label_key(), self.label) {
            self.fields.insert(key.into(), label);
        }
        if kind == ValueKind::DateTime
            && let Some(first) = self
                .fields
                .get("datetime")
                .and_then(|dates| dates.get(0))
                .cloned()
        {
            self.fields.insert("datetime".into(), first);
        }
        kind.normalize(&Value::Object(self.fields))
            .map_err(|error| invalid_value(self.control, error))
    }

    fn unknown_value(mut self) -> Value {
        if let Some(label) = self.label {
            self.fields.insert(self.control.kind(), label);
        }
        Value::Object(self.fields)
    }

    fn takes_bare_text(&self) -> bool {
        matches!(
            self.control.value_kind(),
            Some(ValueKind::Pairwise | ValueKind::ReactCode)
        )
    }
}

impl Control {
    /// Starts a region that carries a label, a list of them, or what the control takes in their place: a
    /// number for `Number` and `Rating`, texts for `TextArea`, paths for `Taxonomy`.
    pub fn label(&self, label: impl Into<Value>) -> RegionBuilder<'_> {
        RegionBuilder::new(self).label(label)
    }

    /// Starts a region that carries no label, for controls such as `Rectangle`.
    pub fn unlabeled(&self) -> RegionBuilder<'_> {
        RegionBuilder::new(self)
    }

    /// Returns the texts in a list, or in a list of lists, that are not labels of the control. A control without labels
    /// accepts any.
    pub(super) fn undefined_labels<'v>(&self, labels: &'v Value) -> Vec<&'v str> {
        if self.labels.is_empty() {
            return Vec::new();
        }
        let items = labels.as_array().into_iter().flatten();
        let (paths, texts): (Vec<_>, Vec<_>) = items.partition(|item| item.is_array());
        let nested = paths.into_iter().filter_map(Value::as_array).flatten();
        let mut seen = HashSet::new();
        texts
            .into_iter()
            .chain(nested)
            .filter_map(Value::as_str)
            .filter(|text| !self.labels_attrs.contains_key(*text) && seen.insert(*text))
            .collect()
    }
}

fn invalid_value(control: &Control, error: serde_json::Error) -> LabelConfigError {
    LabelConfigError::InvalidValue {
        control: control.name.clone(),
        kind: control.kind(),
        source: Arc::new(error),
    }
}

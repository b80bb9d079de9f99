//! The JSON view of a label config that Label Studio's tools call `parse_config`.

use std::mem;

use indexmap::{IndexMap, IndexSet};
use roxmltree::{Document, Node};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

use super::{
    Attributes, Conditional, LabelConfig, LabelConfigError,
    parser::{
        add_index_flag, attribute, control_names, elements, index_flag_regex, is_label, is_object,
        non_empty, owner, read_document,
    },
};

/// Reads controls, labels and objects from XML as the JSON of Label Studio's `parse_config`, by name of the control. An
/// empty text gives an empty object.
///
/// The view is wider than that of [`LabelConfig`](crate::LabelConfig): a label may carry a list of values instead of
/// a value, and only `$name` and `apiUrl` make labels dynamic.
pub fn parse_config(text: &str) -> Result<Value, LabelConfigError> {
    if text.is_empty() {
        return Ok(json!({}));
    }
    let (document, _) = read_document(text)?;
    Ok(json!(View::of(&document)?))
}

impl LabelConfig {
    /// Returns controls, labels and objects as the JSON of Label Studio's `parse_config`, by name of the control.
    pub fn parse_config(&self) -> Value {
        parse_config(self.text()).expect("the text was read before")
    }

    /// Like [`LabelConfig::parse_config`], as a text: for a large label config it takes a tenth of the memory.
    pub fn parse_config_text(&self) -> String {
        if self.text().is_empty() {
            return "{}".to_owned();
        }
        let (document, _) = read_document(self.text()).expect("the text was read before");
        let view = View::of(&document).expect("the text was read before");
        let mut json = Vec::with_capacity(2 * self.text().len());
        serde_json::to_writer(&mut json, &view).expect("texts are JSON");
        String::from_utf8(json).expect("JSON is UTF-8")
    }
}

/// The view of a document, which it borrows from.
struct View<'a> {
    controls: IndexMap<&'a str, Control<'a>>,
    objects: IndexMap<&'a str, Value>,
}

struct Control<'a> {
    node: Node<'a, 'a>,
    to_name: Vec<&'a str>,
    regex: IndexMap<String, String>,
    labels: IndexMap<&'a str, Node<'a, 'a>>,
}

impl<'a> View<'a> {
    fn of(document: &'a Document<'a>) -> Result<Self, LabelConfigError> {
        let mut view = Self {
            controls: IndexMap::new(),
            objects: IndexMap::new(),
        };
        let mut index_flags = IndexSet::new();
        for node in elements(document) {
            add_index_flag(&mut index_flags, node)?;
            if let Some((name, to_name)) = control_names(node) {
                let to_name: Vec<_> = to_name.split(',').collect();
                let labels = view.controls.get_mut(name);
                let control = Control {
                    node,
                    regex: index_flag_regex(&to_name, &index_flags),
                    to_name,
                    labels: labels
                        .map(|known| mem::take(&mut known.labels))
                        .unwrap_or_default(),
                };
                view.controls.insert(name, control);
            } else if let Some(name) = non_empty(node, "name")
                && is_object(node)
            {
                view.objects.insert(name, object(node));
            }
            if is_label(node)
                && let Some(owner) = owner(node, |name| view.controls.contains_key(name))
                && let Some(text) = ["alias", "value", "valueList"]
                    .iter()
                    .find_map(|name| non_empty(node, name))
            {
                view.controls[owner].labels.insert(text, node);
            }
        }
        Ok(view)
    }
}

fn object(node: Node<'_, '_>) -> Value {
    let (key, value) = match attribute(node, "value") {
        Some(value) => ("value", value),
        None => (
            "valueList",
            attribute(node, "valueList").unwrap_or_default(),
        ),
    };
    let value = value.trim_start_matches('$');
    let tag = node.tag_name().name();
    json!({ "type": tag, "valueType": attribute(node, "valueType"), key: value })
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.controls.iter();
        serializer.collect_map(view.map(|(name, control)| (name, WithObjects(control, self))))
    }
}

struct WithObjects<'a>(&'a Control<'a>, &'a View<'a>);

impl Serialize for WithObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(control, view) = self;
        let node = control.node;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", node.tag_name().name())?;
        map.serialize_entry("to_name", &control.to_name)?;
        if !control.regex.is_empty() {
            map.serialize_entry("regex", &control.regex)?;
        }
        if let Some(conditional) = Conditional::of(&Attributes::of(node)) {
            map.serialize_entry("conditionals", &conditional)?;
        }
        if attribute(node, "value").is_some_and(is_plain_variable)
            || non_empty(node, "apiUrl").is_some()
        {
            map.serialize_entry("dynamic_labels", &true)?;
        }
        let inputs = control.to_name.iter();
        let inputs: Vec<_> = inputs.filter_map(|name| view.objects.get(name)).collect();
        map.serialize_entry("inputs", &inputs)?;
        map.serialize_entry("labels", &Keys(&control.labels))?;
        map.serialize_entry("labels_attrs", &AttributesOf(&control.labels))?;
        map.end()
    }
}

struct Keys<'a>(&'a IndexMap<&'a str, Node<'a, 'a>>);

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.keys())
    }
}

struct AttributesOf<'a>(&'a IndexMap<&'a str, Node<'a, 'a>>);

impl Serialize for AttributesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels = self.0.iter();
        serializer.collect_map(labels.map(|(label, node)| (label, Attributes::of(*node))))
    }
}

/// Returns whether a value is `$` and then nothing but ASCII letters and underscores.
fn is_plain_variable(value: &str) -> bool {
    let name = value.strip_prefix('$').unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

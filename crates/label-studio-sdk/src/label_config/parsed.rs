//! The JSON view of a label config that Label Studio's tools call `parse_config`.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value, json};

use super::{
    Attributes, Conditional, LabelConfigError,
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
    let mut controls = IndexMap::<&str, Map<String, Value>>::new();
    let mut objects = IndexMap::<&str, Value>::new();
    let mut labels = IndexMap::<&str, IndexMap<&str, Attributes>>::new();
    let mut index_flags = IndexSet::new();
    for node in elements(&document) {
        add_index_flag(&mut index_flags, node)?;
        let tag = node.tag_name().name();
        if let Some((name, to_name)) = control_names(node) {
            controls.insert(name, control(node, to_name, &index_flags));
        } else if let Some(name) = non_empty(node, "name")
            && is_object(node)
        {
            let (key, value) = match attribute(node, "value") {
                Some(value) => ("value", value),
                None => (
                    "valueList",
                    attribute(node, "valueList").unwrap_or_default(),
                ),
            };
            let value = value.trim_start_matches('$');
            objects.insert(
                name,
                json!({ "type": tag, "valueType": attribute(node, "valueType"), key: value }),
            );
        }
        if is_label(node)
            && let Some(owner) = owner(node, |name| controls.contains_key(name))
            && let Some(text) = ["alias", "value", "valueList"]
                .iter()
                .find_map(|name| non_empty(node, name))
        {
            labels
                .entry(owner)
                .or_default()
                .insert(text, Attributes::of(node));
        }
    }
    let entries = controls.into_iter().map(|(name, mut control)| {
        let to_name = control["to_name"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let inputs: Vec<_> = to_name
            .filter_map(|name| objects.get(name).cloned())
            .collect();
        let labels = labels.swap_remove(name).unwrap_or_default();
        control.insert("inputs".into(), inputs.into());
        control.insert("labels".into(), labels.keys().copied().collect());
        control.insert("labels_attrs".into(), json!(labels));
        (name.to_owned(), Value::Object(control))
    });
    Ok(Value::Object(entries.collect()))
}

fn control(
    node: roxmltree::Node<'_, '_>,
    to_name: &str,
    index_flags: &IndexSet<&str>,
) -> Map<String, Value> {
    let to_name: Vec<_> = to_name.split(',').collect();
    let regex = index_flag_regex(&to_name, index_flags);
    let mut control = Map::new();
    control.insert("type".into(), node.tag_name().name().into());
    control.insert("to_name".into(), to_name.into());
    if !regex.is_empty() {
        control.insert("regex".into(), json!(regex));
    }
    if let Some(conditional) = Conditional::of(&Attributes::of(node)) {
        control.insert("conditionals".into(), json!(conditional));
    }
    if attribute(node, "value").is_some_and(is_plain_variable)
        || non_empty(node, "apiUrl").is_some()
    {
        control.insert("dynamic_labels".into(), true.into());
    }
    control
}

/// Returns whether a value is `$` and then nothing but ASCII letters and underscores.
fn is_plain_variable(value: &str) -> bool {
    let name = value.strip_prefix('$').unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

//! What a user should correct in a label config.

use std::collections::HashMap;

use indexmap::IndexSet;
use roxmltree::Node;

use super::{
    LabelConfig,
    parser::{attribute, elements, has_tag, is_label, non_empty, read_document},
    validation::speed_errors,
};
use crate::values::ValueKind;

/// Problems that are listed of each kind.
const MAX_PROBLEMS: usize = 20;
/// Object tags that show a part of the task.
const OBJECTS: [&str; 9] = [
    "Audio",
    "HyperText",
    "Image",
    "Paragraphs",
    "Pdf",
    "Table",
    "Text",
    "TimeSeries",
    "Video",
];

impl LabelConfig {
    /// Returns what a user should correct, one sentence for each problem; an empty list when there is none.
    ///
    /// [`LabelConfig::validate`] has the messages of Label Studio's own check, which name the rule of its schema that was
    /// tried last (`'View' is a required property`) and read names of tags with regard to case.
    pub fn problems(&self) -> Vec<String> {
        let (document, _) = read_document(self.text()).expect("the text was read before");
        let mut problems = Vec::new();
        let mut add = |found: Option<String>| {
            problems.extend(found.filter(|_| problems.len() < MAX_PROBLEMS));
        };
        let mut names = HashMap::<_, usize>::new();
        for node in elements(&document) {
            add(missing_attribute(node));
            add(missing_labels(node));
            if let Some(name) = non_empty(node, "name") {
                *names.entry(name).or_default() += 1;
            }
        }
        let doubled: IndexSet<_> = elements(&document)
            .filter_map(|node| non_empty(node, "name"))
            .filter(|name| names[name] > 1)
            .collect();
        for name in doubled {
            add(Some(format!("{} tags have the name {name:?}", names[name])));
        }
        for node in elements(&document) {
            let to_names = non_empty(node, "toName").unwrap_or_default().split(',');
            for to_name in to_names.filter(|name| !name.is_empty() && !names.contains_key(name)) {
                let tag = shown(node);
                add(Some(format!(
                    "{tag} has toName={to_name:?}, which no tag has as name"
                )));
            }
        }
        let videos = self
            .objects()
            .iter()
            .filter(|object| object.tag.eq_ignore_ascii_case("Video"));
        for error in videos.flat_map(speed_errors) {
            add(Some(error));
        }
        problems
    }
}

/// Names a tag as it stands in the label config.
fn shown(node: Node<'_, '_>) -> String {
    let tag = node.tag_name().name();
    match non_empty(node, "name") {
        Some(name) => format!("<{tag} name={name:?}>"),
        None => format!("<{tag}>"),
    }
}

fn missing_attribute(node: Node<'_, '_>) -> Option<String> {
    let tag = node.tag_name().name();
    let has = |name: &str| non_empty(node, name).is_some();
    let missing = if is_label(node) {
        (!has("value") && !has("alias") && !has("valueList")).then_some("value")
    } else if let Some(kind) = ValueKind::of(tag) {
        let needs_object = !kind.labels_itself() && kind != ValueKind::ChatMessage;
        let wanted = if needs_object {
            &["name", "toName"][..]
        } else {
            &["name"]
        };
        wanted.iter().find(|name| !has(name)).copied()
    } else if OBJECTS.iter().any(|object| has_tag(node, object)) {
        let has_value = attribute(node, "value").is_some() || has("valueList");
        let wanted = [("name", has("name")), ("value", has_value)];
        wanted
            .iter()
            .find(|(_, is_there)| !is_there)
            .map(|(name, _)| *name)
    } else {
        None
    };
    missing.map(|name| format!("{} has no {name}", shown(node)))
}

/// Returns the problem of a control that offers labels and has none.
fn missing_labels(node: Node<'_, '_>) -> Option<String> {
    let kind = ValueKind::of(node.tag_name().name())?;
    let label = match kind {
        ValueKind::Choices => "Choice",
        kind if kind.tag().ends_with("Labels") => "Label",
        _ => return None,
    };
    let is_dynamic = ["value", "apiUrl"]
        .iter()
        .any(|name| non_empty(node, name).is_some());
    let mut inside = node.descendants().skip(1);
    let has_labels = is_dynamic || inside.any(|node| node.is_element() && is_label(node));
    (!has_labels).then(|| {
        format!(
            "{} offers nothing: put <{label} value=\"...\"/> into it",
            shown(node)
        )
    })
}

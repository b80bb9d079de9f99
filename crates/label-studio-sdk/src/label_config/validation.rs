//! Checks of a label config beyond what reading it needs.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexSet;
use roxmltree::Node;

use super::{
    LabelConfig, Object,
    parser::{elements, read_document},
};
use crate::python::{ReprList, float};

impl LabelConfig {
    /// Checks what Label Studio checks when a label config is saved: required attributes, unique names, known `toName`s
    /// and playback speeds. Returns the problems; an empty list when the label config is valid.
    pub fn validate(&self) -> Vec<String> {
        let (document, _) = read_document(self.text()).expect("the text was read before");
        let mut errors = Vec::new();
        if document.root_element().has_tag_name("View") {
            check_view(document.root_element(), true, &mut errors);
        }
        let names: Vec<_> = elements(&document)
            .filter_map(|node| node.attribute("name"))
            .collect();
        let known: BTreeSet<_> = names.iter().copied().collect();
        if known.len() != names.len() {
            errors.push(format!(
                "Label config contains non-unique names: {}",
                names.join(", ")
            ));
        }
        let to_names = elements(&document).filter_map(|node| node.attribute("toName"));
        let unknown: IndexSet<_> = to_names
            .flat_map(|names| names.split(','))
            .filter(|name| !known.contains(name))
            .collect();
        let known: Vec<_> = known.into_iter().collect();
        for to_name in unknown.into_iter().take(MAX_UNKNOWN) {
            errors.push(format!(
                "toName=\"{to_name}\" not found in names: {}",
                ReprList(&known)
            ));
        }
        let videos = self
            .objects()
            .iter()
            .filter(|object| object.tag.eq_ignore_ascii_case("Video"));
        errors.extend(videos.flat_map(speed_errors));
        errors
    }
}

/// Checks the tags directly inside a view, and those inside the views in it.
fn check_view(view: Node<'_, '_>, is_root: bool, errors: &mut Vec<String>) {
    let children = || view.children().filter(Node::is_element);
    let mut n_of_tag = HashMap::<_, usize>::new();
    for node in children() {
        *n_of_tag.entry(node.tag_name().name()).or_default() += 1;
    }
    let mut n_seen = HashMap::<_, usize>::new();
    for node in children() {
        let tag = node.tag_name().name();
        let idx = n_seen.entry(tag).or_default();
        if let Some(fault) = fault(node, is_root) {
            let is_alone = n_of_tag[tag] == 1;
            let place = if is_alone {
                String::new()
            } else {
                idx.to_string()
            };
            errors.push(failed(&place, &fault));
        }
        *idx += 1;
        match tag {
            "View" => check_view(node, false, errors),
            "Choices" => {
                let place = if n_of_tag[tag] == 1 {
                    "Choice/".to_owned()
                } else {
                    format!("{}/Choice/", n_seen[tag] - 1)
                };
                check_labels(node, "Choice", Some(&place), errors);
                check_nested_views(node, errors);
            }
            "Labels" => {
                check_labels(node, "Label", None, errors);
                check_nested_views(node, errors);
            }
            _ => {}
        }
    }
}

/// Returns what is wrong with the attributes of a tag.
fn fault(node: Node<'_, '_>, is_in_root: bool) -> Option<String> {
    let has = |name: &str| node.has_attribute(name);
    let missing = match node.tag_name().name() {
        "Image" | "Text" | "HyperText" if has("value") && has("valueList") => {
            return Some("'value' and 'valueList' exclude each other".into());
        }
        "Image" | "Text" | "HyperText" => missing_of_object(node),
        "Choices" => missing_of_labels(node, "Choice"),
        "Labels" => missing_of_labels(node, "Label"),
        "Label" | "Choice" if !is_in_root && !has("value") => Some("value"),
        "TextArea" | "Number" => ["toName", "name"].into_iter().find(|name| !has(name)),
        _ => None,
    };
    missing.map(required)
}

fn check_nested_views(node: Node<'_, '_>, errors: &mut Vec<String>) {
    for view in node.children().filter(|child| child.has_tag_name("View")) {
        check_view(view, false, errors);
    }
}

/// Checks that labels have a value. Label Studio numbers choices below `place`, and labels that are not alone.
fn check_labels(node: Node<'_, '_>, tag: &str, place: Option<&str>, errors: &mut Vec<String>) {
    let labels = || node.children().filter(|child| child.has_tag_name(tag));
    let is_alone = labels().count() == 1;
    for (idx, _) in labels()
        .enumerate()
        .filter(|(_, label)| !label.has_attribute("value"))
    {
        let place = match place {
            Some(place) => format!("{place}{idx}"),
            None if is_alone => String::new(),
            None => idx.to_string(),
        };
        errors.push(failed(&place, &required("value")));
    }
}

/// Label Studio names what the last way to give the value lacks, which is a `valueList`.
fn missing_of_object(node: Node<'_, '_>) -> Option<&'static str> {
    let has_list = node.has_attribute("valueList");
    if node.has_attribute("name") && (has_list || node.has_attribute("value")) {
        return None;
    }
    Some(if has_list { "name" } else { "valueList" })
}

/// Label Studio names what the last way to give the labels lacks, which is a `View` around them.
fn missing_of_labels(node: Node<'_, '_>, label: &str) -> Option<&'static str> {
    let has_child = |tag: &str| node.children().any(|child| child.has_tag_name(tag));
    let has_view = has_child("View");
    let has_labels = has_view || node.has_attribute("value") || has_child(label);
    if has_labels && node.has_attribute("name") && node.has_attribute("toName") {
        return None;
    }
    let named = ["toName", "name"]
        .into_iter()
        .find(|name| !node.has_attribute(*name));
    Some(named.filter(|_| has_view).unwrap_or("View"))
}

fn required(attribute: &str) -> String {
    format!("'{attribute}' is a required property")
}

fn failed(place: &str, fault: &str) -> String {
    format!("Validation failed on {place}: {fault}")
}

pub(super) fn speed_errors(video: &Object) -> Vec<String> {
    let name = &video.name;
    let mut errors = Vec::new();
    let mut speeds = Vec::new();
    for attribute in ["defaultPlaybackSpeed", "minPlaybackSpeed"] {
        let text = video.attr(attribute);
        let speed = text.and_then(|text| text.trim().parse::<f64>().ok());
        if let (Some(text), None) = (text, speed) {
            errors.push(format!(
                "Video tag \"{name}\": {attribute} must be a number, got \"{text}\""
            ));
        }
        speeds.push((attribute, speed));
    }
    for (attribute, speed) in &speeds {
        if let Some(speed) = speed.filter(|speed| !(MIN_SPEED..=MAX_SPEED).contains(speed)) {
            let speed = float(speed);
            errors.push(format!(
                "Video tag \"{name}\": {attribute} must be between {MIN_SPEED} and {MAX_SPEED}, got {speed}"
            ));
        }
    }
    if let [(_, Some(default)), (_, Some(min))] = *speeds
        && min > default
    {
        let (min, default) = (float(min), float(default));
        errors.push(format!(
            "Video tag \"{name}\": minPlaybackSpeed ({min}) must not exceed defaultPlaybackSpeed ({default})"
        ));
    }
    errors
}

/// Slowest and fastest playback that Label Studio accepts.
const MIN_SPEED: f64 = 0.05;
const MAX_SPEED: f64 = 10.0;
/// Unknown names that are reported.
const MAX_UNKNOWN: usize = 100;

//! Docling's words, and those of the annotation screen.

use std::collections::BTreeSet;

use label_studio_ml::Value;

use crate::document::{Item, TableCell};

/// Labels that have another name on the screen; those in the second list keep theirs, all others become `text`.
const RENAMED: [(&str, &str); 13] = [
    ("title", "section_header"),
    ("field_heading", "section_header"),
    ("paragraph", "text"),
    ("key_value_region", "text"),
    ("field_hint", "text"),
    ("marker", "text"),
    ("chart", "picture"),
    ("reference", "footnote"),
    ("field_key", "key"),
    ("field_value", "value"),
    ("text", "text"),
    ("picture", "picture"),
    ("section_header", "section_header"),
];
const KEPT: [&str; 15] = [
    "list_item",
    "table",
    "formula",
    "code",
    "caption",
    "footnote",
    "page_header",
    "page_footer",
    "document_index",
    "form",
    "checkbox_selected",
    "checkbox_unselected",
    "grading_scale",
    "handwritten_text",
    "empty_value",
];
const PICTURE_TYPES: [&str; 11] = [
    "CHART",
    "INFOGRAPHIC",
    "SCREENSHOT",
    "UI_ELEMENT",
    "BARCODE",
    "LOGO",
    "PICTOGRAM",
    "OTHER",
    "PERSON",
    "DECORATION",
    "ILLUSTRATION",
];
const LAYERS: [&str; 5] = ["body", "furniture", "background", "invisible", "notes"];
const BODY: &str = "body";

/// Returns the label of the screen for a label of Docling.
pub fn label(docling: &str) -> &'static str {
    let renamed = RENAMED
        .iter()
        .find(|(name, _)| *name == docling)
        .map(|(_, label)| *label);
    let kept = || KEPT.iter().find(|name| **name == docling).copied();
    renamed.or_else(kept).unwrap_or("text")
}

/// Reads a list of content layers, such as `body, furniture`. Unknown names are logged; without any known one it is the
/// body alone.
pub fn layers(list: &str) -> BTreeSet<&'static str> {
    let lower = list.to_lowercase();
    let names = lower
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let mut layers = BTreeSet::new();
    for name in names {
        if let Some(layer) = LAYERS.iter().find(|layer| **layer == name) {
            layers.insert(*layer);
        } else {
            let known = LAYERS.join(", ");
            tracing::warn!(name, known, "unknown content layer");
        }
    }
    if layers.is_empty() {
        layers.insert(BODY);
    }
    layers
}

/// Returns the layer of an item.
pub(crate) fn layer(item: &Item) -> &str {
    item.content_layer.as_deref().unwrap_or(BODY)
}

/// Returns the layer as the screen names it.
pub(crate) fn screen_layer(item: &Item) -> &'static str {
    match layer(item) {
        "furniture" => "FURNITURE",
        "background" => "BACKGROUND",
        _ => "BODY",
    }
}

/// Returns the kind of a picture, Docling's word for a figure; `None` for other labels.
pub(crate) fn picture_type(item: &Item, label: &str) -> Option<&'static str> {
    if label != "picture" {
        return None;
    }
    if item.label.as_deref() == Some("chart") {
        return Some("CHART");
    }
    let class = item
        .meta
        .pointer("/classification/predictions/0/class_name");
    // Documents of older versions have it among the annotations.
    let annotations = item.annotations.as_array().into_iter().flatten();
    let annotated = || {
        annotations
            .into_iter()
            .find_map(|annotation| annotation.pointer("/predicted_classes/0/class_name"))
    };
    let class = class
        .or_else(annotated)
        .and_then(Value::as_str)
        .unwrap_or_default();
    let class = class.to_uppercase().replace(' ', "_");
    let known = PICTURE_TYPES.iter().find(|known| **known == class);
    Some(known.copied().unwrap_or("OTHER"))
}

/// Returns the label of a table's cell; a header that spans several cells is a header.
pub(crate) fn cell_label(cell: &TableCell) -> &'static str {
    let spans = |span: Option<i64>| span.unwrap_or(1) > 1;
    if cell.column_header {
        "column_header"
    } else if cell.row_header {
        "row_header"
    } else if cell.row_section {
        "row_section"
    } else if spans(cell.row_span) || spans(cell.col_span) {
        "table_merged_cell"
    } else {
        "table_cell"
    }
}

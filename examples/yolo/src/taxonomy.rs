//! Paths of a taxonomy's items, which its regions are made of.

use std::collections::HashMap;

use label_studio_ml::anyhow;
use roxmltree::{Document, Node};

/// Returns the path from the root to each item of the `Taxonomy` called `name`, by the item's own text.
pub(crate) fn paths(
    label_config: &str,
    name: &str,
) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let document = Document::parse(label_config)?;
    let mut paths = HashMap::new();
    let mut tags = document.descendants();
    let is_taxonomy = |tag: &Node<'_, '_>| {
        tag.tag_name().name().eq_ignore_ascii_case("Taxonomy")
            && tag.attribute("name") == Some(name)
    };
    if let Some(taxonomy) = tags.find(is_taxonomy) {
        for item in taxonomy.descendants().filter(|tag| text_of(*tag).is_some()) {
            let mut path: Vec<_> = item
                .ancestors()
                .take_while(|tag| *tag != taxonomy)
                .filter_map(text_of)
                .collect();
            path.reverse();
            if let Some(text) = path.last() {
                paths.entry(text.clone()).or_insert(path);
            }
        }
    }
    Ok(paths)
}

/// An item's text: its alias if there is one, else its value.
fn text_of(tag: Node<'_, '_>) -> Option<String> {
    if !tag.tag_name().name().eq_ignore_ascii_case("Choice") {
        return None;
    }
    let filled = |name| tag.attribute(name).filter(|text| !text.is_empty());
    filled("alias")
        .or_else(|| filled("value"))
        .map(str::to_owned)
}

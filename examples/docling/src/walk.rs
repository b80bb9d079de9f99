//! The parts of a document in reading order.

use std::collections::HashSet;

use crate::{
    Document,
    document::{Item, Provenance},
    labels::layer,
    region_options::RegionOptions,
};

/// A part of the document that becomes a region.
pub(crate) struct Part<'a> {
    pub(crate) item: &'a Item,
    /// Depth below the body.
    pub(crate) level: usize,
    pub(crate) provenance: &'a Provenance,
}

/// Walks the body depth first and returns the parts of the selected layers that are on the selected page.
pub(crate) fn parts<'a>(document: &'a Document, options: &RegionOptions) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    // A document that points to itself must end.
    let mut seen = HashSet::new();
    let mut waiting: Vec<_> = children(&document.body, 1).collect();
    while let Some((target, level)) = waiting.pop() {
        if !seen.insert(target) {
            continue;
        }
        let Some((item, is_group)) = document.resolve(target) else {
            continue;
        };
        if !is_group
            && options.layers.contains(layer(item))
            && let Some(provenance) = provenance(item, options.page_no)
        {
            parts.push(Part {
                item,
                level,
                provenance,
            });
        }
        waiting.extend(children(item, level + 1));
    }
    parts
}

/// Returns an item's children, the last one first: it is taken last from a stack.
fn children(item: &Item, level: usize) -> impl Iterator<Item = (&str, usize)> {
    let targets = item.children.iter().rev();
    targets.map(move |child| (child.target.as_str(), level))
}

/// Returns where an item is: on the wanted page, else on the first that it is on.
fn provenance(item: &Item, page_no: Option<i64>) -> Option<&Provenance> {
    match page_no {
        Some(page_no) => item
            .prov
            .iter()
            .find(|provenance| provenance.page_no == page_no),
        None => item.prov.first(),
    }
}

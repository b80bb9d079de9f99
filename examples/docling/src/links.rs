//! Lines to captions, footnotes and values.

use crate::{
    builder::Builder,
    document::{Document, Graph, Item, Reference},
};

const LEVEL: usize = 1;

/// Adds lines between regions that belong together. Both ends must be there: one of another layer or page has no region.
pub(crate) fn add(builder: &mut Builder<'_>) {
    let document: &Document = builder.document;
    let lists = [
        &document.tables,
        &document.pictures,
        &document.key_value_items,
        &document.form_items,
    ];
    for item in lists.into_iter().flatten() {
        if !builder.rectangles.contains_key(item.self_ref.as_str()) {
            continue;
        }
        for (label, targets) in [
            ("to_caption", &item.captions),
            ("to_footnote", &item.footnotes),
        ] {
            for target in targets {
                connect(
                    builder,
                    label,
                    &item.self_ref,
                    own_reference(document, target),
                );
            }
        }
        if let Some(graph) = &item.graph {
            add_values(builder, document, graph);
        }
    }
}

fn add_values(builder: &mut Builder<'_>, document: &Document, graph: &Graph) {
    let item_of = |cell_id: i64| {
        // Of several cells of one number the last counts, as in a Python dictionary.
        let cell = graph
            .cells
            .iter()
            .rev()
            .find(|cell| cell.cell_id == cell_id)?;
        own_reference(document, cell.item_ref.as_ref()?)
    };
    for link in graph.links.iter().filter(|link| link.label == "to_value") {
        if let Some(key) = item_of(link.source_cell_id) {
            connect(builder, "to_value", key, item_of(link.target_cell_id));
        }
    }
}

fn connect(builder: &mut Builder<'_>, label: &str, from: &str, to: Option<&str>) {
    let ends = [Some(from), to].map(|reference| builder.rectangles.get(reference?).cloned());
    if let [Some(from), Some(to)] = ends {
        builder.add_line(label, &[from, to], LEVEL);
    }
}

fn own_reference<'a>(document: &'a Document, reference: &Reference) -> Option<&'a str> {
    let (item, _): (&Item, bool) = document.resolve(&reference.target)?;
    Some(&item.self_ref)
}

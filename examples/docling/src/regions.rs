//! From a document to regions.

use std::collections::HashMap;

use crate::{
    Document,
    builder::{Anchor, Builder, Placed},
    links,
    region_options::RegionOptions,
    walk::parts,
};

/// Makes the regions of a document: its parts, the cells of its tables, then lines of reading order and other relations.
pub fn regions(document: &Document, options: &RegionOptions) -> Vec<Placed> {
    let mut builder = Builder {
        document,
        options,
        placed: Vec::new(),
        rectangles: HashMap::new(),
    };
    let mut chains: Vec<(i64, Vec<Anchor>)> = Vec::new();
    for part in parts(document, options) {
        let Some(anchor) = builder.add_part(&part) else {
            continue;
        };
        match chains
            .iter_mut()
            .find(|(page_no, _)| *page_no == anchor.page_no)
        {
            Some((_, chain)) => chain.push(anchor),
            None => chains.push((anchor.page_no, vec![anchor])),
        }
    }
    if options.reading_order {
        for (_, chain) in chains.iter().filter(|(_, chain)| chain.len() > 1) {
            builder.add_line("reading_order", chain, options.reading_order_level);
        }
    }
    if options.relations {
        links::add(&mut builder);
    }
    builder.placed
}

//! Parts of a document that become regions, and their names.

use std::collections::BTreeSet;

use crate::labels::layers;

/// Parts of a document that become regions, and the names of the tags.
#[derive(Debug, Clone)]
pub struct RegionOptions {
    /// Name of the control.
    pub from_name: String,
    /// Name of the object.
    pub to_name: String,
    /// Page to restrict to; counts from 1.
    pub page_no: Option<i64>,
    /// Layers of the document.
    pub layers: BTreeSet<&'static str>,
    /// Whether a line per page connects the regions in reading order.
    pub reading_order: bool,
    /// Level of those lines.
    pub reading_order_level: usize,
    /// Whether the cells of tables become regions.
    pub table_structure: bool,
    /// Whether lines lead to captions, footnotes and values.
    pub relations: bool,
    /// Score of every region.
    pub score: Option<f64>,
}

impl Default for RegionOptions {
    /// Layout only, as the Python original's library does.
    fn default() -> Self {
        Self {
            from_name: "doclang".to_owned(),
            to_name: "doclang".to_owned(),
            page_no: None,
            layers: layers(""),
            reading_order: false,
            reading_order_level: 1,
            table_structure: false,
            relations: false,
            score: None,
        }
    }
}

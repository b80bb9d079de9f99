//! A document as Docling describes it (`DoclingDocument`), as far as regions are made of it.

use std::collections::BTreeMap;

use label_studio_ml::Value;
use serde::Deserialize;

/// A converted document.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Document {
    pub(crate) body: Item,
    #[serde(default)]
    groups: Vec<Item>,
    #[serde(default)]
    texts: Vec<Item>,
    #[serde(default)]
    pub(crate) tables: Vec<Item>,
    #[serde(default)]
    pub(crate) pictures: Vec<Item>,
    #[serde(default)]
    pub(crate) key_value_items: Vec<Item>,
    #[serde(default)]
    pub(crate) form_items: Vec<Item>,
    #[serde(default)]
    field_regions: Vec<Item>,
    #[serde(default)]
    field_items: Vec<Item>,
    #[serde(default)]
    pages: BTreeMap<String, Page>,
}

/// A page: its size, and that of its image if there is one.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Page {
    /// Size that boxes are measured in.
    pub size: Option<Size>,
    /// Image of the page.
    pub image: Option<PageImage>,
}

/// Image of a page.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct PageImage {
    /// Its size in pixels.
    pub size: Size,
}

/// Width and height.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
pub struct Size {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A box on a page.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    pub l: f64,
    /// Top edge.
    pub t: f64,
    /// Right edge.
    pub r: f64,
    /// Bottom edge.
    pub b: f64,
    /// `TOPLEFT`, or `BOTTOMLEFT` where heights grow upwards.
    #[serde(default = "top_left")]
    pub coord_origin: String,
}

fn top_left() -> String {
    "TOPLEFT".to_owned()
}

/// A part of the document, or a group of parts.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Item {
    #[serde(default)]
    pub(crate) self_ref: String,
    #[serde(default)]
    pub(crate) children: Vec<Reference>,
    pub(crate) content_layer: Option<String>,
    pub(crate) label: Option<String>,
    #[serde(default)]
    pub(crate) prov: Vec<Provenance>,
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) captions: Vec<Reference>,
    #[serde(default)]
    pub(crate) footnotes: Vec<Reference>,
    pub(crate) data: Option<TableData>,
    pub(crate) graph: Option<Graph>,
    #[serde(default)]
    pub(crate) meta: Value,
    #[serde(default)]
    pub(crate) annotations: Value,
}

/// Points to an item: `#/texts/0`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Reference {
    #[serde(rename = "$ref", alias = "cref")]
    pub(crate) target: String,
}

/// Where an item is on a page.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Provenance {
    pub(crate) page_no: i64,
    pub(crate) bbox: BoundingBox,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TableData {
    #[serde(default)]
    pub(crate) table_cells: Vec<TableCell>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TableCell {
    pub(crate) bbox: Option<BoundingBox>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) column_header: bool,
    #[serde(default)]
    pub(crate) row_header: bool,
    #[serde(default)]
    pub(crate) row_section: bool,
    pub(crate) row_span: Option<i64>,
    pub(crate) col_span: Option<i64>,
}

/// Keys and values of a form, and which belong together.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Graph {
    #[serde(default)]
    pub(crate) cells: Vec<GraphCell>,
    #[serde(default)]
    pub(crate) links: Vec<GraphLink>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct GraphCell {
    pub(crate) cell_id: i64,
    pub(crate) item_ref: Option<Reference>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct GraphLink {
    pub(crate) label: String,
    pub(crate) source_cell_id: i64,
    pub(crate) target_cell_id: i64,
}

impl Document {
    /// Returns a page by its number, which counts from 1.
    pub fn page(&self, page_no: i64) -> Option<&Page> {
        self.pages.get(&page_no.to_string())
    }

    /// Returns the numbers of the pages, ascending.
    pub fn page_numbers(&self) -> Vec<i64> {
        let mut numbers: Vec<_> = self
            .pages
            .keys()
            .filter_map(|number| number.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// Returns the item that a reference points to, and whether it is a group.
    pub(crate) fn resolve(&self, target: &str) -> Option<(&Item, bool)> {
        let (list, idx) = target.strip_prefix("#/")?.split_once('/')?;
        let items = match list {
            "groups" => &self.groups,
            "texts" => &self.texts,
            "tables" => &self.tables,
            "pictures" => &self.pictures,
            "key_value_items" => &self.key_value_items,
            "form_items" => &self.form_items,
            "field_regions" => &self.field_regions,
            "field_items" => &self.field_items,
            _ => return None,
        };
        Some((items.get(idx.parse::<usize>().ok()?)?, list == "groups"))
    }
}

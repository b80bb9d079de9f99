//! Regions in the making.

use std::collections::HashMap;

use label_studio_ml::{Region, json};

use crate::{
    Document, Rectangle,
    labels::{cell_label, label, picture_type, screen_layer},
    percent_rectangle,
    region_options::RegionOptions,
    walk::Part,
};

const MAX_LEVEL: usize = 100;

/// A region, and the page that it is on.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The region, without the size of the page.
    pub region: Region,
    /// Number of the page; counts from 1.
    pub page_no: i64,
}

/// Regions in the making.
pub(crate) struct Builder<'a> {
    pub(crate) document: &'a Document,
    pub(crate) options: &'a RegionOptions,
    pub(crate) placed: Vec<Placed>,
    /// Where the region of an item is, by the item's own reference.
    pub(crate) rectangles: HashMap<&'a str, Anchor>,
}

/// Region that a line connects.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    pub(crate) id: String,
    pub(crate) center: [f64; 2],
    pub(crate) page_no: i64,
}

impl<'a> Builder<'a> {
    pub(crate) fn add_part(&mut self, part: &Part<'a>) -> Option<Anchor> {
        let (item, page_no) = (part.item, part.provenance.page_no);
        let page = self.document.page(page_no)?;
        let rectangle = percent_rectangle(page, &part.provenance.bbox)?;
        let label = label(item.label.as_deref().unwrap_or_default());
        let level = part.level.clamp(1, MAX_LEVEL);
        let anchor = self.add_rectangle(
            page_no,
            rectangle,
            label,
            &json!({
                "content_layer": screen_layer(item),
                "level": level,
                "picture_type": picture_type(item, label),
                "text": item.text.as_deref().unwrap_or_default(),
                "parentId": null,
            }),
        );
        if !item.self_ref.is_empty() {
            self.rectangles.insert(&item.self_ref, anchor.clone());
        }
        if self.options.table_structure && label == "table" {
            let cells = item.data.iter().flat_map(|data| &data.table_cells);
            for cell in cells {
                let rectangle = cell
                    .bbox
                    .as_ref()
                    .and_then(|bbox| percent_rectangle(page, bbox));
                let Some(rectangle) = rectangle else {
                    continue;
                };
                self.add_rectangle(
                    page_no,
                    rectangle,
                    cell_label(cell),
                    &json!({
                        "content_layer": screen_layer(item),
                        "level": (level + 1).min(MAX_LEVEL),
                        "picture_type": null,
                        "text": cell.text.as_deref().unwrap_or_default(),
                        "parentId": anchor.id,
                    }),
                );
            }
        }
        Some(anchor)
    }

    fn add_rectangle(
        &mut self,
        page_no: i64,
        rectangle: Rectangle,
        label: &str,
        rest: &label_studio_ml::Value,
    ) -> Anchor {
        let mut value = rest.clone();
        value["x"] = rectangle.x.into();
        value["y"] = rectangle.y.into();
        value["width"] = rectangle.width.into();
        value["height"] = rectangle.height.into();
        value["rotation"] = 0.into();
        value["rectanglelabels"] = json!([label]);
        let id = self.add("rectanglelabels", value, page_no);
        Anchor {
            id,
            center: rectangle.center(),
            page_no,
        }
    }

    /// Adds a line through regions.
    pub(crate) fn add_line(&mut self, label: &str, anchors: &[Anchor], level: usize) {
        let points: Vec<_> = anchors.iter().map(|anchor| anchor.center).collect();
        let ids: Vec<_> = anchors.iter().map(|anchor| anchor.id.as_str()).collect();
        let value = json!({
            "points": points,
            "polygonlabels": [label],
            "connectedRegions": ids,
            "level": level.clamp(1, MAX_LEVEL),
            "validationErrors": [],
            "parentId": null,
            "closed": false,
        });
        self.add("polygonlabels", value, anchors[0].page_no);
    }

    fn add(&mut self, kind: &str, value: label_studio_ml::Value, page_no: i64) -> String {
        let options = self.options;
        let mut region =
            Region::new(&options.from_name, &options.to_name, kind, value).with_new_id();
        region.score = options.score;
        region
            .extra
            .insert("origin".to_owned(), "prediction".into());
        let id = region.id.clone().unwrap_or_default();
        self.placed.push(Placed { region, page_no });
        id
    }
}

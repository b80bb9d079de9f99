//! Documents become regions as recorded.

use std::collections::HashMap;

use docling::{
    BoundingBox, Document, Page, RegionOptions, Size, label, layers, percent_rectangle,
    raster_size, regions, service_base_url, task_file_url,
};
use label_studio_ml::{Value, json, serde_json};

const VECTORS: &str = include_str!("vectors/docling.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn document() -> Document {
    serde_json::from_value(vectors()["document"].take()).unwrap()
}

fn options(recorded: &Value) -> RegionOptions {
    let text = |name: &str, default: &str| recorded[name].as_str().unwrap_or(default).to_owned();
    let is_on = |name: &str| recorded[name].as_bool().unwrap_or_default();
    RegionOptions {
        from_name: text("from_name", "doclang"),
        to_name: text("to_name", "doclang"),
        page_no: recorded["page_no"].as_i64(),
        layers: layers(&text("content_layers", "")),
        reading_order: is_on("include_reading_order"),
        reading_order_level: usize::try_from(recorded["reading_order_level"].as_u64().unwrap_or(1))
            .unwrap(),
        table_structure: is_on("include_table_structure"),
        relations: is_on("include_relations"),
        score: recorded["score"].as_f64(),
    }
}

/// Makes regions and numbers their ids as the recorded ones are: `R0`, `R1`, ...
fn results(document: &Document, options: &RegionOptions) -> Value {
    let placed = regions(document, options);
    let ids: HashMap<_, _> = placed
        .iter()
        .enumerate()
        .map(|(idx, placed)| (placed.region.id.clone().unwrap(), format!("R{idx}")))
        .collect();
    let mut json = serde_json::to_string(
        &placed
            .into_iter()
            .map(|placed| placed.region)
            .collect::<Vec<_>>(),
    )
    .unwrap();
    for (id, number) in ids {
        json = json.replace(&format!("\"{id}\""), &format!("\"{number}\""));
    }
    serde_json::from_str(&json).unwrap()
}

#[test]
fn documents_become_regions_as_recorded() {
    let (vectors, document) = (vectors(), document());
    for case in vectors["conversions"].as_array().unwrap() {
        let results = results(&document, &options(&case["options"]));
        let expected = case["results"].as_array().unwrap();
        for (result, expected) in results.as_array().unwrap().iter().zip(expected) {
            assert_eq!(result, expected, "{}", case["name"]);
        }
        assert_eq!(
            results.as_array().unwrap().len(),
            expected.len(),
            "{}",
            case["name"]
        );
    }
}

#[test]
fn boxes_become_percentages_as_recorded() {
    for case in vectors()["bbox_geometry"].as_array().unwrap() {
        let size = |value: &Value| {
            let side = |idx: usize| value[idx].as_f64().unwrap();
            (!value.is_null()).then(|| json!({ "width": side(0), "height": side(1) }))
        };
        let page: Page = serde_json::from_value(json!({
            "size": size(&case["page"]),
            "image": size(&case["raster"]).map(|size| json!({ "size": size })),
        }))
        .unwrap();
        let edge = |idx: usize| case["bbox_ltrb"][idx].as_f64().unwrap();
        let origin = if case["origin"] == "BL" {
            "BOTTOMLEFT"
        } else {
            "TOPLEFT"
        };
        let bbox = BoundingBox {
            l: edge(0),
            t: edge(1),
            r: edge(2),
            b: edge(3),
            coord_origin: origin.to_owned(),
        };
        let rectangle = percent_rectangle(&page, &bbox);
        let values = rectangle
            .map(|rectangle| json!([rectangle.x, rectangle.y, rectangle.width, rectangle.height]));
        assert_eq!(json!(values), case["xywh_percent"], "{}", case["name"]);
    }
}

#[test]
fn pages_have_the_recorded_sizes() {
    let (vectors, document) = (vectors(), document());
    for (name, page_no) in [("default", 1), ("page2", 2), ("page9", 9)] {
        let size = document
            .page(page_no)
            .and_then(raster_size)
            .map(|(width, height)| [width, height]);
        assert_eq!(json!(size), vectors["page_raster_size"][name], "{name}");
    }
    let page = |width: f64, height: f64| Page {
        size: Some(Size { width, height }),
        image: None,
    };
    assert_eq!(raster_size(&page(0.4, 10.0)), None);
    assert_eq!(raster_size(&page(595.5, 1.5)), Some((596, 2)));
    assert_eq!(raster_size(&page(f64::INFINITY, 1.0)), None);
}

#[test]
fn labels_are_mapped_as_recorded() {
    let vectors = vectors();
    for (docling, screen) in vectors["label_map"].as_object().unwrap() {
        assert_eq!(label(docling), screen.as_str().unwrap());
    }
    for docling in vectors["unmapped_labels_become_text"].as_array().unwrap() {
        assert_eq!(label(docling.as_str().unwrap()), "text");
    }
    assert_eq!(label("a label of tomorrow"), "text");
}

/// Recorded values that are wrong, and what is found instead.
fn corrected(case: &Value) -> Value {
    match case["url"].as_str() {
        Some("['https://a', 'https://b']") => "https://a".into(),
        None if case["data"]["attachment"] == "gs://bucket/key.pdf" => "gs://bucket/key.pdf".into(),
        _ => case["url"].clone(),
    }
}

#[test]
fn the_document_of_a_task_is_found_as_recorded() {
    for case in vectors()["task_file_url"].as_array().unwrap() {
        let url = task_file_url(
            case["data"].as_object().unwrap(),
            case["data_key"].as_str().unwrap(),
        );
        assert_eq!(json!(url), corrected(case), "{case}");
    }
    for (data, url) in [
        (
            json!({ "image": "", "pdf": " https://h/p.pdf " }),
            json!("https://h/p.pdf"),
        ),
        (
            json!({ "image": 0, "x": "azure-blob://c/k.pdf" }),
            json!("azure-blob://c/k.pdf"),
        ),
        (
            json!({ "image": false, "file": { "url": "" } }),
            json!(null),
        ),
        (
            json!({ "image": [{ "url": "https://h/a" }] }),
            json!("https://h/a"),
        ),
        (
            json!({ "image": [], "ocr": "https://h/o" }),
            json!("https://h/o"),
        ),
    ] {
        assert_eq!(
            json!(task_file_url(data.as_object().unwrap(), "image")),
            url,
            "{data}"
        );
    }
}

#[test]
fn addresses_lose_one_version_at_their_end_as_recorded() {
    for case in vectors()["service_base_url"].as_array().unwrap() {
        assert_eq!(
            service_base_url(case["in"].as_str().unwrap()),
            case["out"],
            "{case}"
        );
    }
}

#[test]
fn layers_are_read_tolerantly() {
    let read = |list: &str| layers(list).into_iter().collect::<Vec<_>>();
    assert_eq!(read(" Body ,NOTES,, nonsense"), ["body", "notes"]);
    assert_eq!(read("nonsense"), ["body"]);
    assert_eq!(read(""), ["body"]);
}

fn item(self_ref: &str, label: &str, page_no: i64, more: &Value) -> Value {
    let bbox = json!({ "l": 10, "t": 10, "r": 30, "b": 20, "coord_origin": "TOPLEFT" });
    let mut item = json!({
        "self_ref": self_ref, "children": [], "content_layer": "body", "label": label, "text": label,
        "prov": [{ "page_no": page_no, "bbox": bbox, "charspan": [0, 0] }],
    });
    for (name, value) in more.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn refs(targets: &[&str]) -> Value {
    targets
        .iter()
        .map(|target| json!({ "$ref": target }))
        .collect()
}

fn parsed(children: &[&str], lists: &Value) -> Document {
    let mut document = json!({
        "schema_name": "DoclingDocument",
        "body": { "self_ref": "#/body", "children": refs(children), "label": "unspecified" },
        "pages": { "1": { "page_no": 1, "size": { "width": 100, "height": 100 } }, "2": { "size": { "width": 100, "height": 100 } } },
    });
    for (name, list) in lists.as_object().unwrap() {
        document[name] = list.clone();
    }
    serde_json::from_value(document).unwrap()
}

fn all() -> RegionOptions {
    RegionOptions {
        reading_order: true,
        table_structure: true,
        relations: true,
        ..RegionOptions::default()
    }
}

fn labels_of(results: &Value) -> Vec<String> {
    let labels = results.as_array().unwrap().iter().map(|result| {
        let value = &result["value"];
        value
            .get("rectanglelabels")
            .unwrap_or(&value["polygonlabels"])[0]
            .as_str()
            .unwrap()
            .to_owned()
    });
    labels.collect()
}

#[test]
fn pictures_say_what_they_show() {
    let classified = |class: &str| json!({ "meta": { "classification": { "predictions": [{ "class_name": class }] } } });
    let annotated = json!({ "annotations": [{ "kind": "description" }, { "kind": "classification", "predicted_classes": [{ "class_name": "logo" }] }] });
    let pictures = [
        item("#/pictures/0", "chart", 1, &classified("logo")),
        item("#/pictures/1", "picture", 1, &classified("ui element")),
        item("#/pictures/2", "picture", 1, &classified("bar_chart")),
        item("#/pictures/3", "picture", 1, &annotated),
        item("#/pictures/4", "picture", 1, &json!({})),
    ];
    let targets = [
        "#/pictures/0",
        "#/pictures/1",
        "#/pictures/2",
        "#/pictures/3",
        "#/pictures/4",
    ];
    let document = parsed(&targets, &json!({ "pictures": pictures }));
    let results = results(&document, &RegionOptions::default());
    let types: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["value"]["picture_type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["CHART", "UI_ELEMENT", "OTHER", "LOGO", "OTHER"]);
}

#[test]
fn footnotes_captions_and_values_are_connected_when_both_ends_are_there() {
    let texts = [
        item("#/texts/0", "caption", 1, &json!({})),
        item("#/texts/1", "footnote", 1, &json!({})),
        item(
            "#/texts/2",
            "caption",
            1,
            &json!({ "content_layer": "furniture" }),
        ),
        item("#/texts/3", "field_key", 1, &json!({})),
        item("#/texts/4", "field_value", 1, &json!({})),
    ];
    let picture = item(
        "#/pictures/0",
        "picture",
        1,
        &json!({
            "children": refs(&["#/texts/0"]), "captions": refs(&["#/texts/0", "#/texts/2", "#/texts/9"]), "footnotes": refs(&["#/texts/1"]),
        }),
    );
    let link = |label: &str, source: i64, target: i64| json!({ "label": label, "source_cell_id": source, "target_cell_id": target });
    let graph = json!({
        "cells": [
            { "cell_id": 1, "item_ref": { "$ref": "#/texts/3" } },
            { "cell_id": 2, "item_ref": { "$ref": "#/texts/4" } },
            { "cell_id": 3 },
        ],
        "links": [link("to_value", 1, 2), link("to_key", 2, 1), link("to_value", 1, 3), link("to_value", 7, 2)],
    });
    let form = item("#/form_items/0", "form", 1, &json!({ "graph": graph }));
    let document = parsed(
        &[
            "#/pictures/0",
            "#/texts/1",
            "#/texts/2",
            "#/form_items/0",
            "#/texts/3",
            "#/texts/4",
        ],
        &json!({ "texts": texts, "pictures": [picture], "form_items": [form] }),
    );
    let results = results(&document, &all());
    assert_eq!(
        labels_of(&results),
        [
            "picture",
            "caption",
            "footnote",
            "form",
            "key",
            "value",
            "reading_order",
            "to_caption",
            "to_footnote",
            "to_value"
        ]
    );
    let connected = |idx: usize| results[idx]["value"]["connectedRegions"].clone();
    assert_eq!(
        [connected(7), connected(8), connected(9)],
        [
            json!(["R0", "R1"]),
            json!(["R0", "R2"]),
            json!(["R4", "R5"])
        ]
    );
    assert_eq!(results[1]["value"]["level"], 2, "a child of the picture");
}

#[test]
fn cells_are_labelled_by_their_first_role() {
    let bbox = json!({ "l": 1, "t": 1, "r": 2, "b": 2, "coord_origin": "TOPLEFT" });
    let cell = |more: Value| {
        let mut cell = json!({ "bbox": bbox, "text": "c" });
        for (name, value) in more.as_object().unwrap() {
            cell[name] = value.clone();
        }
        cell
    };
    let cells = [
        cell(json!({ "column_header": true, "row_header": true, "col_span": 3 })),
        cell(json!({ "row_section": true })),
        cell(json!({ "row_span": 2 })),
        cell(json!({ "row_span": 1, "col_span": 1 })),
        cell(json!({ "bbox": null })),
    ];
    let table = item(
        "#/tables/0",
        "table",
        2,
        &json!({ "data": { "table_cells": cells, "grid": [] } }),
    );
    let document = parsed(&["#/tables/0"], &json!({ "tables": [table] }));
    let results = results(&document, &all());
    assert_eq!(
        labels_of(&results),
        [
            "table",
            "column_header",
            "row_section",
            "table_merged_cell",
            "table_cell"
        ]
    );
}

#[test]
fn parts_on_two_pages_are_measured_on_the_wanted_one() {
    let far = json!({ "l": 50, "t": 50, "r": 60, "b": 60, "coord_origin": "TOPLEFT" });
    let mut text = item("#/texts/0", "text", 1, &json!({}));
    text["prov"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "page_no": 2, "bbox": far }));
    let document = parsed(
        &["#/texts/0", "#/texts/1"],
        &json!({ "texts": [text, item("#/texts/1", "text", 1, &json!({ "prov": [] }))] }),
    );
    let x = |page_no| {
        let results = results(
            &document,
            &RegionOptions {
                page_no,
                ..RegionOptions::default()
            },
        );
        results
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["value"]["x"].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(x(None), [10.0]);
    assert_eq!(x(Some(2)), [50.0]);
    assert!(x(Some(3)).is_empty());
}

#[test]
fn hostile_documents_end() {
    let round = item(
        "#/texts/0",
        "text",
        1,
        &json!({ "children": refs(&["#/texts/0", "#/body", "#/texts/1"]) }),
    );
    let deep: Vec<_> = (1..5000)
        .map(|idx| {
            item(
                &format!("#/texts/{idx}"),
                "text",
                1,
                &json!({ "children": refs(&[&format!("#/texts/{}", idx + 1)]) }),
            )
        })
        .collect();
    let texts: Vec<_> = std::iter::once(round).chain(deep).collect();
    let document = parsed(
        &[
            "#/texts/0",
            "#/texts/0",
            "nonsense",
            "#/texts/-1",
            "#/nothing/0",
            "#/texts/99999999999999999999",
        ],
        &json!({ "texts": texts }),
    );
    let results = results(&document, &RegionOptions::default());
    assert_eq!(results.as_array().unwrap().len(), 5000);
    assert_eq!(results[4999]["value"]["level"], 100);
    assert!(serde_json::from_str::<Document>("{\"body\": 5}").is_err());
}

//! Pre-annotation of whole pages.

mod support;

use std::collections::BTreeMap;

use image::{Rgb, RgbImage};
use label_studio_ml::{Value, json};
use label_studio_testing::{check_backend, check_repeater};
use support::{LABEL_CONFIG, backend, body, json_fixture, png_url, rectangle, tasks, url};

fn results(config: &str, flags: &[&str], images: &[String]) -> Vec<Value> {
    let client = backend(&[&["--read-pages"], flags].concat());
    check_backend(&client, config, &tasks(images))
}

/// The entries of each place, by their kind.
fn places(result: &Value) -> Vec<BTreeMap<String, &Value>> {
    let mut places: Vec<(&Value, BTreeMap<String, &Value>)> = Vec::new();
    for entry in result["result"].as_array().unwrap() {
        let kind = entry["type"].as_str().unwrap().to_owned();
        match places.iter_mut().find(|(id, _)| **id == entry["id"]) {
            Some((_, of_place)) => {
                of_place.insert(kind, entry);
            }
            None => places.push((&entry["id"], BTreeMap::from([(kind, entry)]))),
        }
    }
    places.into_iter().map(|(_, of_place)| of_place).collect()
}

#[test]
fn each_entry_of_a_repeater_is_read() {
    let client = backend(&["--read-pages", "lines"]);
    check_repeater(&client, &body(&[url("card.png")], &Value::Null));
    let drawn = json!({ "x": 0, "y": 0, "width": 100, "height": 100, "rotation": 0 });
    let context = json!({ "result": [rectangle("drawn", drawn)] });
    check_repeater(&client, &body(&[url("card.png")], &context));
}

#[test]
fn each_line_is_a_rectangle_and_a_text_that_share_an_id() {
    let results = results(LABEL_CONFIG, &["lines"], &[url("lines.png")]);
    let lines = json_fixture("lines.json");
    let places = places(&results[0]);
    let mut n_found = 0;
    for place in &places {
        let (shape, text) = (place["rectanglelabels"], place["textarea"]);
        assert_eq!(shape["value"]["rectanglelabels"], json!(["Label1"]));
        let value = &text["value"];
        for side in ["x", "y", "width", "height"] {
            assert_eq!(shape["value"][side], value[side]);
        }
        let line = lines.as_array().unwrap().iter();
        let line = line.clone().find(|line| line["text"] == value["text"][0]);
        let Some(line) = line else { continue };
        n_found += 1;
        // The rectangle lies within the line's, which has a margin of 8 pixels.
        let percent = |side: &str| value[side].as_f64().unwrap();
        let edge = |idx: usize| line["bounds"][idx].as_f64().unwrap();
        let (left, top) = (percent("x") * 15.0, percent("y") * 13.4);
        assert!(left >= edge(0) && top >= edge(1), "{line} {value}");
        let (right, bottom) = (
            left + percent("width") * 15.0,
            top + percent("height") * 13.4,
        );
        assert!(right <= edge(2) && bottom <= edge(3), "{line} {value}");
    }
    assert!(
        n_found >= 48,
        "{n_found} of {} places are lines",
        places.len()
    );
    // The left column is read before the right one.
    let lefts = places
        .iter()
        .map(|place| place["textarea"]["value"]["x"].as_f64().unwrap());
    let lefts: Vec<_> = lefts.collect();
    assert!(lefts[..24].iter().all(|left| *left < 40.0), "{lefts:?}");
}

#[test]
fn words_may_be_regions_with_a_minimum_score() {
    let config = r#"<View><Image name="image" value="$image"/>
      <Labels name="label" toName="image"><Label value="Other"/><Label value="Word"/></Labels>
      <Rectangle name="bbox" toName="image"/>
      <TextArea name="text" toName="image" perRegion="true" ocr_label="Word"/></View>"#;
    let all = results(
        config,
        &["words", "--tesseract-page-psm", "6"],
        &[url("card.png")],
    );
    let places_found = places(&all[0]);
    let words = places_found
        .iter()
        .map(|place| &place["textarea"]["value"]["text"][0]);
    let words: Vec<_> = words.collect();
    assert_eq!(words, ["KENAPA", "HARUS", "PUNYA"]);
    for place in &places_found {
        assert_eq!(place["labels"]["value"]["labels"], json!(["Word"]));
        assert!(place["rectangle"]["score"].as_f64().unwrap() > 0.5);
    }
    let none = results(
        config,
        &["words", "--score-threshold", "1.0"],
        &[url("card.png")],
    );
    assert_eq!(none[0]["result"], json!([]));
}

#[test]
fn a_blank_page_and_a_dot_have_an_empty_result() {
    let blank = png_url(&RgbImage::from_pixel(800, 600, Rgb([255; 3])));
    let dot = png_url(&RgbImage::from_pixel(1, 1, Rgb([0; 3])));
    for result in results(LABEL_CONFIG, &["lines"], &[blank, dot]) {
        assert_eq!(
            (&result["result"], &result["score"]),
            (&json!([]), &json!(0.0))
        );
    }
}

#[test]
fn a_label_config_without_rectangles_is_refused_for_pages_only() {
    let config = r#"<View><Image name="image" value="$image"/>
      <PolygonLabels name="poly" toName="image"><Label value="a"/></PolygonLabels>
      <TextArea name="text" toName="image"/></View>"#;
    let setup = json!({ "project": "1.1", "schema": config, "hostname": "", "access_token": "" });
    assert_eq!(backend(&[]).post("/setup", &setup).0, 200);
    let (status, answer) = backend(&["--read-pages", "lines"]).post("/setup", &setup);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        status == 422 && detail.contains("RectangleLabels"),
        "{status} {detail}"
    );
    let none = config.replace("TextArea", "Choices");
    let setup = json!({ "project": "1.1", "schema": none, "hostname": "", "access_token": "" });
    let (status, answer) = backend(&[]).post("/setup", &setup);
    assert!(
        status == 422 && answer["detail"].as_str().unwrap().contains("TextArea"),
        "{answer}"
    );
}

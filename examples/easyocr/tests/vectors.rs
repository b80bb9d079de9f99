//! Recorded answers of the library's parts.

mod support;

use easyocr::{Grouping, Line, Output, ShapeKind, confidence};
use label_studio_ml::{LabelConfig, Value, json, serde_json};
use label_studio_vision::models::{
    text_detection::{CraftOptions, HeatMaps},
    text_recognition::{Alphabet, Step, collapsed},
};
use ndarray::Array2;
use support::{label_config, vectors};

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn boxes_are_grouped_to_lines() {
    let vectors = vectors();
    let cases = vectors["group_text_box"].as_array().unwrap();
    assert!(cases.len() >= 8);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let grouping = Grouping {
            slope: number("slope_ths"),
            y_centre: number("ycenter_ths"),
            height: number("height_ths"),
            width: number("width_ths"),
            margin: number("add_margin"),
            min_size: 0.0,
        };
        let boxes: Vec<[i64; 8]> = serde_json::from_value(case["polys"].clone()).unwrap();
        let boxes: Vec<[[i64; 2]; 4]> = boxes
            .iter()
            .map(|corners| std::array::from_fn(|idx| [corners[2 * idx], corners[2 * idx + 1]]))
            .collect();
        let lines = grouping.lines(&boxes);
        let horizontal: Vec<Vec<f64>> = case["horizontal_xxyy"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect();
        let found: Vec<Vec<f64>> = serde_json::from_value(json!(lines.horizontal)).unwrap();
        assert_eq!(found, horizontal, "{}", case["name"]);
        let free = case["free"].as_array().unwrap();
        assert_eq!(lines.free.len(), free.len());
        for (found, expected) in lines.free.iter().zip(free) {
            for (corner, expected) in found.iter().zip(expected.as_array().unwrap()) {
                for (found, expected) in corner.iter().zip(numbers(expected)) {
                    assert!((found - expected).abs() < 1e-9, "{} {found}", case["name"]);
                }
            }
        }
    }
}

#[test]
fn heat_maps_become_boxes() {
    let case = &vectors()["craft_boxes"];
    let map = |name: &str| {
        let blobs: Vec<Vec<f64>> = case[name].as_array().unwrap().iter().map(numbers).collect();
        Array2::from_shape_fn((40, 80), |(y, x)| {
            let (x, y) = (
                f64::from(u32::try_from(x).unwrap()),
                f64::from(u32::try_from(y).unwrap()),
            );
            let of_blobs = blobs.iter().map(|blob| {
                let across = ((x - blob[0]) / blob[2]).powi(2) / 2.0;
                let down = ((y - blob[1]) / blob[3]).powi(2) / 2.0;
                blob[4] * (-(across + down)).exp()
            });
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the maps are of single precision"
            )]
            let value = of_blobs.fold(0.0, f64::max) as f32;
            value
        })
    };
    let (text, link) = (map("text_blobs_cx_cy_sx_sy_a"), map("link_blobs"));
    let maps = HeatMaps {
        text: text.view(),
        link: link.view(),
    };
    let found = maps.boxes(&CraftOptions::default()).unwrap();
    let expected = case["boxes"].as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        for (corner, expected) in found.quad.0.iter().zip(expected.as_array().unwrap()) {
            for (found, expected) in corner.iter().zip(numbers(expected)) {
                assert!((f64::from(*found) - expected).abs() <= 1.0);
            }
        }
    }
}

#[test]
fn paths_become_texts_and_scores() {
    let vectors = vectors();
    for case in vectors["ctc_greedy"].as_array().unwrap() {
        let characters: Vec<String> = serde_json::from_value(case["characters"].clone()).unwrap();
        let alphabet = Alphabet::new(characters.into_iter().skip(1));
        let classes: Vec<usize> = serde_json::from_value(case["indices"].clone()).unwrap();
        let steps = classes.iter().enumerate();
        let path: Vec<Step> = steps
            .map(|(time, class)| Step {
                class: *class,
                score: 1.0,
                time,
            })
            .collect();
        let steps = collapsed(&path);
        let text = alphabet.text(steps.iter().map(|step| step.class));
        assert_eq!(json!(text), case["text"]);
    }
    for case in vectors["confidence"].as_array().unwrap() {
        let scores: Vec<f32> =
            serde_json::from_value(case["max_probs_of_non_blank_steps"].clone()).unwrap();
        let steps: Vec<Step> = scores
            .iter()
            .map(|score| Step {
                class: 1,
                score: *score,
                time: 0,
            })
            .collect();
        let expected = case["score"].as_f64().unwrap();
        assert!((confidence(&steps) - expected).abs() < 1e-6, "{case}");
    }
}

#[test]
fn a_line_is_a_polygon_and_a_text_that_share_an_id() {
    let case = &vectors()["region_pair_example"];
    let config = LabelConfig::parse(&label_config()).unwrap();
    let input = &case["in"];
    let line = Line {
        corners: serde_json::from_value(input["quad"].clone()).unwrap(),
        text: input["text"].as_str().unwrap().to_owned(),
        score: input["score"].as_f64().unwrap(),
    };
    let size = serde_json::from_value(input["image_wh"].clone()).unwrap();
    let regions = Output::find(&config, ShapeKind::Polygon)
        .unwrap()
        .regions(&line, size);
    let mut found = json!(regions);
    let id = found[0]["id"].clone();
    assert!(id.as_str().unwrap().len() >= 10);
    for region in found.as_array_mut().unwrap() {
        assert_eq!(region["id"], id);
        region["id"] = case["out"][0]["id"].clone();
        // 110 of 200 pixels are 55.00000000000001 percent.
        for number in region["value"]["points"].as_array_mut().unwrap() {
            let rounded = numbers(number).into_iter().map(f64::round);
            *number = json!(rounded.collect::<Vec<_>>());
        }
    }
    assert_eq!(found[0], case["out"][0]);
    assert_eq!(found[1], case["out"][1]);
    // The label has its own tag, which shows it.
    assert_eq!(found[2]["type"], "labels");
    assert_eq!(found[2]["value"]["labels"], json!(["Text"]));
    assert_eq!(regions.len(), 3);
}

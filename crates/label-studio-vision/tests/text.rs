//! The parts of text detection and recognition give what OpenCV, pyclipper, RapidOCR and EasyOCR
//! give.

use std::collections::HashSet;

use image::{GrayImage, ImageBuffer, RgbImage};
use label_studio_vision::{
    boxes::{MinAreaRectangle, Quad},
    masks::{Connectivity, Mask},
    models::{
        text_detection::{
            CraftOptions, DbOptions, HeatMaps, ProbabilityMap, TextBox, reading_order, unclip,
        },
        text_recognition::{
            Alphabet, Border, Cropper, Interpolation, beam_search, best_path, by_width, collapsed,
            probabilities, word_beam_search,
        },
    },
};
use ndarray::{Array2, arr2};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn recorded(part: &str) -> Value {
    let mut all: Value = serde_json::from_str(include_str!("fixtures/opencv_text.json")).unwrap();
    all[part].take()
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/easyocr.json")).unwrap()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn entries(part: &str) -> Vec<Value> {
    read(&recorded(part))
}

fn mask(rows: &Value) -> Mask {
    let rows: Vec<String> = read(rows);
    Mask::from_fn(rows[0].len(), rows.len(), |x, y| {
        rows[y].as_bytes()[x] == b'#'
    })
}

fn map(numbers: &Value, size: &Value, divisor: f32) -> Array2<f32> {
    let (width, height): (usize, usize) = read(size);
    let numbers: Vec<u8> = read(numbers);
    let values = numbers.into_iter().map(|value| f32::from(value) / divisor);
    Array2::from_shape_vec((height, width), values.collect()).unwrap()
}

/// Asserts that the corners of two boxes differ by at most `tolerance` in each direction.
#[track_caller]
fn assert_near(found: Quad, expected: Quad, tolerance: f32) {
    let pairs = found.0.as_flattened().iter().zip(expected.0.as_flattened());
    for (found_value, expected_value) in pairs {
        let difference = (found_value - expected_value).abs();
        assert!(difference <= tolerance, "{found:?}, not {expected:?}");
    }
}

#[test]
fn outlines_of_holes_are_those_of_opencv() {
    for case in entries("contours") {
        let expected: Vec<Vec<(usize, usize)>> = read(&case["contours"]);
        assert_eq!(mask(&case["mask"]).all_contours(), expected);
    }
}

#[test]
fn squares_of_any_size_dilate_as_in_opencv() {
    for case in entries("contours") {
        for (size, rows) in case["dilated"].as_object().unwrap() {
            let dilated = mask(&case["mask"]).dilated_by_square(size.parse().unwrap());
            assert_eq!(dilated, mask(rows), "size {size}");
        }
    }
}

#[test]
fn parts_through_sides_are_those_of_opencv() {
    for case in entries("contours") {
        let parts = mask(&case["mask"]).components(Connectivity::Sides);
        let found: Vec<[usize; 5]> = (parts.iter())
            .map(|part| {
                let bounds = part.bounds;
                [bounds.x, bounds.y, bounds.width, bounds.height, part.area]
            })
            .collect();
        assert_eq!(found, read::<Vec<[usize; 5]>>(&case["parts"]));
    }
}

#[test]
fn smallest_rectangles_are_those_of_opencv() {
    for case in entries("rectangles") {
        let points: Vec<(i64, i64)> = read(&case["points"]);
        let found = MinAreaRectangle::around(points).unwrap();
        let expected = Quad(read(&case["corners"]));
        assert_near(found.corners.ordered(), expected.ordered(), 0.01);
        let mut sides: [f32; 2] = read(&case["sides"]);
        sides.sort_by(f32::total_cmp);
        assert!((found.short_side() - sides[0]).abs() < 0.01);
    }
    assert_eq!(MinAreaRectangle::around([]), None);
}

#[test]
fn corners_of_smallest_rectangles_equal_those_of_opencv_to_the_last_bit() {
    let cases = include_str!("fixtures/opencv_rectangles.json");
    for case in serde_json::from_str::<Vec<Value>>(cases).unwrap() {
        let points: Vec<(i64, i64)> = read(&case["points"]);
        let found = MinAreaRectangle::around(points.clone()).unwrap();
        assert_eq!(found.corners, Quad(read(&case["corners"])), "{points:?}");
    }
}

#[test]
fn boxes_grow_as_with_pyclipper() {
    for case in entries("unclipped") {
        let points = unclip(&Quad(read(&case["quad"])), read(&case["ratio"]));
        let found = MinAreaRectangle::around(points).unwrap().corners;
        assert_near(
            found.ordered(),
            Quad(read(&case["corners"])).ordered(),
            0.01,
        );
    }
}

#[test]
fn crops_are_those_of_opencv() {
    let mut cases = entries("crops");
    let source = cases.pop().unwrap();
    let (width, height) = read(&source["size"]);
    let image: RgbImage = ImageBuffer::from_raw(width, height, read(&source["image"])).unwrap();
    let cubic = Cropper::new(Interpolation::Cubic, Border::Replicate);
    for case in cases {
        let quad = Quad(read(&case["quad"]));
        let size: (u32, u32) = read(&case["size"]);
        let found = cubic.crop(&image, &quad, size, size).unwrap();
        let expected: Vec<u8> = read(&case["cubic"]);
        let differences = found.as_raw().iter().zip(&expected);
        let largest = differences.map(|(a, b)| a.abs_diff(*b)).max();
        assert!(largest <= Some(1), "{quad:?}: {largest:?}");
    }
}

#[test]
fn linear_crops_are_equal_to_the_bit_to_those_of_opencv_4() {
    let recorded: Value =
        serde_json::from_str(include_str!("fixtures/opencv4_crops.json")).unwrap();
    let (width, height) = read(&recorded["size"]);
    let image: GrayImage = ImageBuffer::from_raw(width, height, read(&recorded["image"])).unwrap();
    let linear = Cropper::new(Interpolation::Linear, Border::Black);
    for case in read::<Vec<Value>>(&recorded["cases"]) {
        let size: (u32, u32) = read(&case["size"]);
        let quad = Quad(read(&case["quad"]));
        let found = linear.crop(&image, &quad, size, (size.0 - 1, size.1 - 1));
        let expected: Vec<u8> = read(&case["crop"]);
        assert_eq!(found.unwrap().into_raw(), expected, "{quad:?}");
    }
}

#[test]
fn boxes_without_extent_give_no_crop() {
    let image = RgbImage::new(20, 10);
    let cropper = Cropper::new(Interpolation::Cubic, Border::Replicate);
    let flat = Quad([[3.0, 3.0]; 4]);
    assert_eq!(cropper.line(&image, &flat), None);
    assert_eq!(cropper.crop(&image, &flat, (4, 4), (4, 4)), None);
    let nowhere = Quad([[f32::NAN; 2]; 4]);
    assert_eq!(cropper.crop(&image, &nowhere, (4, 4), (4, 4)), None);
}

#[test]
fn boxes_of_a_page_and_their_order_are_those_of_rapidocr() {
    for page in entries("pages") {
        let values = map(&page["hundredths"], &page["size"], 100.0);
        let map = ProbabilityMap {
            values: values.view(),
            image_size: read(&page["image_size"]),
        };
        let found = map.boxes(&DbOptions {
            box_threshold: 0.5,
            unclip_ratio: 1.6,
            is_dilated: read(&page["is_dilated"]),
            ..DbOptions::default()
        });
        let boxes: Vec<[[f32; 2]; 4]> = read(&page["boxes"]);
        let scores: Vec<f64> = read(&page["scores"]);
        assert_eq!(found.len(), boxes.len());
        for ((found, quad), score) in found.iter().zip(boxes).zip(scores) {
            assert_near(found.quad, Quad(quad), 0.0);
            assert!((found.score - score).abs() < 1e-5, "{found:?} {score}");
        }
        let order: Vec<[[f32; 2]; 4]> = read(&page["order"]);
        let found = reading_order(found).into_iter();
        assert_eq!(found.map(|found| found.quad.0).collect::<Vec<_>>(), order);
    }
}

#[test]
fn boxes_of_heat_maps_are_those_of_easyocr() {
    let page = recorded("heat_maps");
    let [text, link] = ["text", "link"].map(|name| map(&page[name], &page["size"], 200.0));
    let maps = HeatMaps {
        text: text.view(),
        link: link.view(),
    };
    let found = maps.boxes(&CraftOptions::default()).unwrap();
    let expected: Vec<[[f32; 2]; 4]> = read(&page["boxes"]);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_near(found.quad, Quad(expected), 0.01);
    }
    let short = ndarray::Array2::zeros((3, 3));
    let maps = HeatMaps {
        text: text.view(),
        link: short.view(),
    };
    assert_eq!(maps.boxes(&CraftOptions::default()), None);
}

#[test]
fn boxes_of_heat_maps_follow_the_vectors() {
    let case = &vectors()["craft_boxes"];
    let blobs: Vec<[f32; 5]> = read(&case["text_blobs_cx_cy_sx_sy_a"]);
    let links: Vec<[f32; 5]> = read(&case["link_blobs"]);
    let painted = |blobs: &[[f32; 5]]| {
        Array2::from_shape_fn((40, 80), |(y, x)| {
            let (x, y) = (
                f32::from(u8::try_from(x).unwrap()),
                f32::from(u8::try_from(y).unwrap()),
            );
            let value = |[cx, cy, sx, sy, top]: &[f32; 5]| {
                let (dx, dy) = (x - cx, y - cy);
                top * (-(dx * dx / (2.0 * sx * sx) + dy * dy / (2.0 * sy * sy))).exp()
            };
            blobs.iter().map(value).fold(0.0, f32::max)
        })
    };
    let (text, link) = (painted(&blobs), painted(&links));
    let maps = HeatMaps {
        text: text.view(),
        link: link.view(),
    };
    let found = maps.boxes(&CraftOptions::default()).unwrap();
    let expected: Vec<[[f32; 2]; 4]> = read(&case["boxes"]);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_near(found.quad, Quad(expected), read(&case["tolerance_px"]));
    }
}

#[test]
fn greedy_decoding_follows_the_vectors() {
    for case in read::<Vec<Value>>(&vectors()["ctc_greedy"]) {
        let classes: Vec<usize> = read(&case["indices"]);
        let characters: Vec<String> = read(&case["characters"]);
        let alphabet = Alphabet::new(characters.into_iter().skip(1));
        let scores =
            Array2::from_shape_fn((classes.len(), alphabet.n_classes()), |(time, class)| {
                f32::from(u8::from(classes[time] == class))
            });
        let steps = collapsed(&best_path(&scores.view()));
        let text = alphabet.text(steps.iter().map(|step| step.class));
        assert_eq!(text, read::<String>(&case["text"]));
    }
}

#[test]
fn readings_are_those_of_easyocr() {
    let alphabet = Alphabet::new("abcd e".chars().map(String::from));
    let words = ["ab", "cab", "bad", "dead", "ace", "bed"].map(str::to_owned);
    let words = HashSet::from(words);
    for case in entries("readings") {
        let scores = Array2::from_shape_vec((14, 7), read(&case["scores"])).unwrap();
        let scores = scores.view();
        let steps = collapsed(&best_path(&scores));
        let greedy = alphabet.text(steps.iter().map(|step| step.class));
        assert_eq!(greedy, read::<String>(&case["greedy"]));
        assert_eq!(
            beam_search(&scores, &alphabet, 5),
            read::<String>(&case["beam"])
        );
        let found = word_beam_search(&scores, &alphabet, 5, &words);
        assert_eq!(found, read::<String>(&case["words"]));
    }
    assert_eq!(beam_search(&Array2::zeros((0, 7)).view(), &alphabet, 5), "");
}

#[test]
fn characters_of_other_languages_get_no_probability() {
    let logits = arr2(&[[0.0_f32, 2.0, 1.0], [f32::NEG_INFINITY, 5.0, 5.0]]);
    let found = probabilities(&logits.view(), &[true, false, true]);
    assert_eq!(found.column(1).to_vec(), [0.0, 0.0]);
    assert!((found[[0, 2]] - 1.0_f32.exp() / (1.0 + 1.0_f32.exp())).abs() < 1e-6);
    assert_eq!(found.row(1).to_vec(), [0.0, 0.0, 1.0]);
}

#[test]
fn an_alphabet_leaves_out_blanks_marks_and_unknown_classes() {
    let alphabet = Alphabet::new(["<th>", "a", "b"].map(str::to_owned)).with_ignored(&[1]);
    assert_eq!(alphabet.text([0, 2, 1, 3, 99]), "ab");
    assert_eq!((alphabet.n_classes(), alphabet.class("b")), (4, Some(3)));
}

#[test]
fn narrow_crops_run_first() {
    assert_eq!(by_width(&[3.0, 1.0, 2.0, 1.0], 3), [vec![1, 3, 2], vec![0]]);
    assert_eq!(by_width(&[], 3), Vec::<Vec<usize>>::new());
}

#[test]
fn maps_without_text_or_size_have_no_boxes() {
    for size in [(0, 0), (1, 1), (32, 32)] {
        let values = Array2::zeros(size);
        let map = ProbabilityMap {
            values: values.view(),
            image_size: (1, 1),
        };
        assert_eq!(map.boxes(&DbOptions::default()), Vec::<TextBox>::new());
        let maps = HeatMaps {
            text: values.view(),
            link: values.view(),
        };
        assert_eq!(maps.boxes(&CraftOptions::default()), Some(Vec::new()));
    }
}

//! Masks give what OpenCV and PyTorch give, and become regions without loss.

use label_studio_sdk::brush_rle;
use label_studio_vision::masks::{Kernel, Mask, PixelBox, resize_scores, simplify};
use ndarray::{Array2, arr2};
use serde_json::Value;

type Points = Vec<(usize, usize)>;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Reads rows of numbers, or of `.` and `#`.
fn mask(rows: &Value) -> Mask {
    let rows: Vec<Vec<bool>> = rows.as_array().unwrap().iter().map(row).collect();
    Mask::from_fn(rows[0].len(), rows.len(), |x, y| rows[y][x])
}

fn row(row: &Value) -> Vec<bool> {
    match row {
        Value::String(text) => text.chars().map(|pixel| pixel == '#').collect(),
        numbers => read::<Vec<u8>>(numbers)
            .into_iter()
            .map(|pixel| pixel == 1)
            .collect(),
    }
}

/// Percent of `size`, rounded as Python rounds.
fn percent(position: usize, size: usize, digits: usize) -> f64 {
    let percent = 100.0 * f64::from(u32::try_from(position).unwrap())
        / f64::from(u32::try_from(size).unwrap());
    format!("{percent:.digits$}").parse().unwrap()
}

#[test]
fn vectors_of_mask_cleaning_boxes_and_polygons_hold() {
    let vectors = json(include_str!("vectors/sam_masks.json"));
    for case in vectors["masks"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mask_of_case = mask(&case["mask"]);
        let (width, height) = (mask_of_case.width(), mask_of_case.height());

        let cleaned = mask_of_case.closed(&Kernel::ellipse(5)).largest_component();
        assert_eq!(cleaned, mask(&case["clean_mask"]), "{name}");

        let found = mask_of_case.bounding_box().unwrap();
        for (key, digits) in [("bbox_pct_round2", 2), ("bbox_pct_round4", 4)] {
            let percents = serde_json::json!({
                "x": percent(found.x, width, digits),
                "y": percent(found.y, height, digits),
                "width": percent(found.width, width, digits),
                "height": percent(found.height, height, digits),
            });
            assert_eq!(percents, case[key], "{name} {key}");
        }

        let mut contours = mask_of_case.contours();
        contours.sort_by_key(|contour| std::cmp::Reverse(contour.len()));
        assert_eq!(
            contours,
            read::<Vec<Points>>(&case["contours_px"]),
            "{name}"
        );

        let to_percent = |&(x, y): &(usize, usize)| [percent(x, width, 4), percent(y, height, 4)];
        let polygons = mask_of_case.polygons(1.5);
        let polygons: Vec<Vec<[f64; 2]>> = polygons
            .iter()
            .map(|polygon| polygon.iter().map(to_percent).collect())
            .collect();
        let expected: Vec<Vec<[f64; 2]>> = read(&case["polygons_pct"]);
        assert_eq!(polygons, expected, "{name}");
    }
}

#[test]
fn the_elliptic_kernel_is_that_of_the_vectors() {
    let vectors = json(include_str!("vectors/sam_masks.json"));
    let dot = Mask::from_fn(5, 5, |x, y| (x, y) == (2, 2));
    assert_eq!(
        dot.dilated(&Kernel::ellipse(5)),
        mask(&vectors["morph_ellipse_5x5"])
    );
    assert_eq!(dot.dilated(&Kernel::square(5)).area(), 25);
    assert!(dot.eroded(&Kernel::square(3)).is_empty());
}

#[test]
fn contours_simplification_and_closing_are_those_of_opencv() {
    let cases = json(include_str!("fixtures/opencv_masks.json"));
    for (idx, case) in cases.as_array().unwrap().iter().enumerate() {
        let mask_of_case = mask(&case["mask"]);
        assert_eq!(
            mask_of_case.closed(&Kernel::ellipse(5)),
            mask(&case["closed"]),
            "case {idx}"
        );
        let contours = mask_of_case.contours();
        let sorted = |contours: &[Points]| {
            let mut contours = contours.to_vec();
            contours.sort();
            contours
        };
        let expected: Vec<Points> = read(&case["contours"]);
        assert_eq!(sorted(&contours), sorted(&expected), "case {idx}");
        for tolerance in ["0.5", "1.5", "3.0"] {
            let expected_simple: Vec<Points> = read(&case["simplified"][tolerance]);
            for (contour, expected) in expected.iter().zip(expected_simple) {
                let simple = simplify(contour, tolerance.parse().unwrap());
                assert_eq!(simple, expected, "case {idx} at {tolerance}");
            }
        }
    }
}

#[test]
fn scores_are_stretched_as_pytorch_does() {
    let cases = json(include_str!("fixtures/torch_bilinear.json"));
    for case in cases.as_array().unwrap() {
        let array = |key: &str| {
            let rows: Vec<Vec<f32>> = read(&case[key]);
            Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
        };
        let (scores, expected) = (array("scores"), array("stretched"));
        let (height, width) = expected.dim();
        let stretched = resize_scores(&scores.view(), width, height);
        for (found, expected) in stretched.iter().zip(&expected) {
            assert!((found - expected).abs() < 2e-5, "{found} {expected}");
        }
        let thresholded = Mask::from_scores(&scores.view(), width, height, 0.1);
        let painted = Mask::from_fn(width, height, |x, y| stretched[(y, x)] > 0.1);
        assert_eq!(thresholded, painted);
    }
}

#[test]
fn scores_of_no_size_paint_nothing() {
    let scores = Array2::<f32>::zeros((0, 4));
    assert!(Mask::from_scores(&scores.view(), 5, 3, -1.0).area() == 15);
    assert!(Mask::from_scores(&scores.view(), 5, 3, 0.0).is_empty());
    assert_eq!(
        Mask::from_scores(&arr2(&[[1.0]]).view(), 0, 0, 0.0).bounding_box(),
        None
    );
}

#[test]
fn the_largest_part_hangs_together_at_corners_and_the_topmost_of_equals_wins() {
    let rows = serde_json::json!(["#..##", ".#...", "..#.#", "....#", "##..#"]);
    let expected = serde_json::json!(["#....", ".#...", "..#..", ".....", "....."]);
    assert_eq!(mask(&rows).largest_component(), mask(&expected));
    let joined_below = serde_json::json!(["#...#", "#...#", ".###.", "....."]);
    assert_eq!(mask(&joined_below).largest_component(), mask(&joined_below));
    assert!(Mask::empty(3, 2).largest_component().is_empty());
}

#[test]
fn a_mask_becomes_rle_and_comes_back() {
    let ring = Mask::from_fn(40, 30, |x, y| {
        (60..120).contains(&(x.abs_diff(20).pow(2) + y.abs_diff(15).pow(2)))
    });
    let rle = ring.brush_rle().unwrap();
    assert_eq!(
        brush_rle::decode(&rle, 40, 30, 1200).unwrap(),
        ring.pixels()
    );
    let expected = PixelBox {
        x: 10,
        y: 5,
        width: 21,
        height: 21,
    };
    assert_eq!(ring.bounding_box(), Some(expected));
}

#[test]
fn overlap_counts_pixels_of_either_mask() {
    let left = Mask::from_fn(4, 1, |x, _| x < 2);
    let middle = Mask::from_fn(4, 1, |x, _| (1..3).contains(&x));
    assert!((left.overlap(&middle) - 1.0 / 3.0).abs() < 1e-12);
    assert!((Mask::empty(2, 2).overlap(&Mask::empty(2, 2)) - 1.0).abs() < 1e-12);
}

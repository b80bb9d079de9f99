//! The same images through the same random networks as Ultralytics (`fixtures/make.py`).

mod support;

use label_studio_ml::{Value, json};
use label_studio_vision::masks::Mask;
use support::{TinyModel, expected, floats, predict};

/// Scores may differ by this, and coordinates by a thousandth of the image.
const TOLERANCE: f64 = 1e-3;

/// The tolerance, or what a grey level more or less does to a JPEG, since decoders round differently.
fn tolerance(case: &Value) -> f64 {
    TOLERANCE.max(2.0 * case["noise"].as_f64().unwrap())
}

/// A control tag whose labels are the classes of the tiny networks.
fn control(tag: &str, attributes: &str, conf: f64) -> String {
    let label = if tag == "Choices" { "Choice" } else { "Label" };
    let labels: String = ["person", "car", "traffic light", "Persian_cat"]
        .map(|name| format!("<{label} value=\"{name}\"/>"))
        .concat();
    format!(
        "<View><Image name=\"image\" value=\"$image\"/>\
         <{tag} name=\"label\" toName=\"image\" model_score_threshold=\"{conf}\" {attributes}>{labels}</{tag}></View>"
    )
}

fn class_of(region: &Value) -> usize {
    let names = ["person", "car", "traffic light", "Persian_cat"];
    let kind = region["type"].as_str().unwrap();
    let name = region["value"][kind][0].as_str().unwrap();
    names.iter().position(|known| *known == name).unwrap()
}

/// Corners in pixels of a rectangle that is not turned.
fn bounds(region: &Value, (width, height): (f64, f64)) -> [f64; 4] {
    let value = |name: &str| region["value"][name].as_f64().unwrap() / 100.0;
    let (x, y) = (value("x") * width, value("y") * height);
    [
        x,
        y,
        x + value("width") * width,
        y + value("height") * height,
    ]
}

/// Pairs each expected box with the region of its class and score that `distance` says lies closest.
fn check_pairs(
    image: &str,
    case: &Value,
    regions: &[Value],
    tolerance: f64,
    distance: impl Fn(usize, &Value) -> f64,
) {
    let scores = floats(&case["scores"]);
    let classes = floats(&case["classes"]);
    assert!(
        regions.len() >= scores.len(),
        "{image}: {} regions, not {}",
        regions.len(),
        scores.len()
    );
    let mut left: Vec<&Value> = regions.iter().collect();
    for (idx, (score, class)) in scores.iter().zip(classes).enumerate() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "classes are numbers from 0"
        )]
        let of_class = |region: &&Value| class_of(region) == class as usize;
        let far = |region: &&Value| distance(idx, region);
        let closest = left
            .iter()
            .copied()
            .filter(|region| of_class(region))
            .min_by(|a, b| far(a).total_cmp(&far(b)))
            .unwrap_or_else(|| panic!("{image}: no region of class {class} for box {idx}"));
        let position = left
            .iter()
            .position(|region| std::ptr::eq(*region, closest))
            .unwrap();
        let found = left.remove(position);
        let (gap, found_score) = (far(&found), found["score"].as_f64().unwrap());
        assert!(
            gap <= tolerance,
            "{image} box {idx}: {gap} of the image away"
        );
        assert!(
            (found_score - score).abs() <= tolerance,
            "{image} box {idx}: {found_score}, not {score}"
        );
    }
}

/// Largest difference of corresponding numbers, as a part of the longer side of the image.
fn largest_gap(a: &[f64], b: &[f64], size: (f64, f64)) -> f64 {
    let gaps = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gaps.fold(0.0, f64::max) / size.0.max(size.1)
}

fn size_of(case: &Value) -> (f64, f64) {
    (
        case["width"].as_f64().unwrap(),
        case["height"].as_f64().unwrap(),
    )
}

fn check_rectangles(network: &str, tag_network: &str) {
    let expected = expected(network);
    let model = TinyModel::new(&[("model.onnx", tag_network)]);
    for (image, case) in expected.as_object().unwrap() {
        let conf = case["conf"].as_f64().unwrap();
        let config = control("RectangleLabels", "model_path=\"model.onnx\"", conf);
        let regions = predict(&model, &config, image);
        let size = size_of(case);
        // The library leaves out boxes whose mask is empty.
        if network != "segment" {
            assert_eq!(
                regions.len(),
                floats(&case["scores"]).len(),
                "{image}: number of regions"
            );
        }
        check_pairs(image, case, &regions, tolerance(case), |idx, region| {
            largest_gap(&bounds(region, size), &floats(&case["boxes"][idx]), size)
        });
    }
}

#[test]
fn boxes_are_those_of_ultralytics() {
    check_rectangles("detect", "tiny-detect.onnx");
}

#[test]
fn boxes_of_an_end_to_end_network_are_those_of_ultralytics() {
    check_rectangles("end2end", "tiny-end2end.onnx");
}

#[test]
fn boxes_of_networks_for_masks_and_points_serve_rectangles() {
    check_rectangles("segment", "tiny-segment.onnx");
    check_rectangles("pose", "tiny-pose.onnx");
}

#[test]
fn turned_boxes_are_those_of_ultralytics() {
    let expected = expected("obb");
    let model = TinyModel::new(&[("model.onnx", "tiny-obb.onnx")]);
    for (image, case) in expected.as_object().unwrap() {
        let conf = case["conf"].as_f64().unwrap();
        let config = control(
            "RectangleLabels",
            "model_obb=\"true\" model_path=\"model.onnx\"",
            conf,
        );
        let regions = predict(&model, &config, image);
        let size = size_of(case);
        check_pairs(image, case, &regions, tolerance(case), |idx, region| {
            let corners = case["corners"][idx].as_array().unwrap();
            // The library's corners start elsewhere in other versions, so each corner looks for its own.
            let found = label_studio_corners(region, size);
            let gaps = corners.iter().map(|corner| {
                let corner = floats(corner);
                let gaps = found.iter().map(|found| largest_gap(found, &corner, size));
                gaps.fold(f64::INFINITY, f64::min)
            });
            gaps.fold(0.0, f64::max)
        });
        for region in &regions {
            assert_eq!(region["original_width"], case["width"]);
            assert_eq!(region["value"]["original_height"], case["height"]);
        }
    }
}

/// Corners of a rotated rectangle as Label Studio draws it.
fn label_studio_corners(region: &Value, (image_width, image_height): (f64, f64)) -> [[f64; 2]; 4] {
    let value = |name: &str| region["value"][name].as_f64().unwrap();
    let (x, y) = (
        value("x") / 100.0 * image_width,
        value("y") / 100.0 * image_height,
    );
    let (width, height) = (
        value("width") / 100.0 * image_width,
        value("height") / 100.0 * image_height,
    );
    let (sin, cos) = value("rotation").to_radians().sin_cos();
    let corner =
        |along: f64, down: f64| [x + along * cos - down * sin, y + along * sin + down * cos];
    [
        corner(0.0, 0.0),
        corner(width, 0.0),
        corner(width, height),
        corner(0.0, height),
    ]
}

#[test]
fn probabilities_are_those_of_ultralytics() {
    let expected = expected("classify");
    let model = TinyModel::new(&[("model.onnx", "tiny-classify.onnx")]);
    for (image, case) in expected.as_object().unwrap() {
        let probabilities = floats(&case["probabilities"]);
        let config = control(
            "Choices",
            "choice=\"multiple\" model_path=\"model.onnx\"",
            0.0,
        );
        let regions = predict(&model, &config, image);
        assert_eq!(
            regions[0]["value"]["choices"].as_array().unwrap().len(),
            4,
            "{image}"
        );
        let best = probabilities.iter().copied().fold(0.0, f64::max);
        let config = control("Choices", "model_path=\"model.onnx\"", 0.0);
        let regions = predict(&model, &config, image);
        let score = regions[0]["score"].as_f64().unwrap();
        assert!(
            (score - best).abs() <= tolerance(case),
            "{image}: {score}, not {best}"
        );
        let kind = json!(["person", "car", "traffic light", "Persian_cat"]);
        let best_class = probabilities
            .iter()
            .position(|p| (p - best).abs() < f64::EPSILON)
            .unwrap();
        assert_eq!(
            regions[0]["value"]["choices"][0], kind[best_class],
            "{image}"
        );
    }
}

#[test]
fn key_points_are_those_of_ultralytics() {
    let expected = expected("pose");
    let model = TinyModel::new(&[("model.onnx", "tiny-pose.onnx")]);
    for (image, case) in expected.as_object().unwrap() {
        let conf = case["conf"].as_f64().unwrap();
        let labels = [0, 1, 2, 3, 4]
            .map(|point| {
                format!(
                    "<Label value=\"{point}\" predicted_values=\"person, car, traffic light, Persian_cat\" \
                     model_index=\"{point}\"/>"
                )
            })
            .concat();
        let config = format!(
            "<View><Image name=\"image\" value=\"$image\"/><KeyPointLabels name=\"points\" toName=\"image\" \
             model_path=\"model.onnx\" model_score_threshold=\"{conf}\">{labels}</KeyPointLabels></View>"
        );
        let regions = predict(&model, &config, image);
        let size = size_of(case);
        let n_boxes = case["boxes"].as_array().unwrap().len();
        assert_eq!(regions.len(), 6 * n_boxes, "{image}");
        let groups: Vec<&[Value]> = regions.chunks(6).collect();
        let boxes: Vec<Value> = groups.iter().map(|group| group[0].clone()).collect();
        check_pairs(image, case, &boxes, tolerance(case), |idx, region| {
            let group = groups
                .iter()
                .find(|group| group[0]["id"] == region["id"])
                .unwrap();
            let points = case["points"][idx].as_array().unwrap();
            let gaps = points.iter().zip(&group[1..]).map(|(point, region)| {
                assert_eq!(region["parentID"], group[0]["id"]);
                let value =
                    |name: &str, side: f64| region["value"][name].as_f64().unwrap() / 100.0 * side;
                let found = [value("x", size.0), value("y", size.1)];
                let score = region["score"].as_f64().unwrap();
                // The score counts like a distance.
                let point = floats(point);
                largest_gap(&found, &point[..2], size).max((score - point[2]).abs())
            });
            let on_box = largest_gap(&bounds(region, size), &floats(&case["boxes"][idx]), size);
            gaps.fold(on_box, f64::max)
        });
    }
}

fn mask_of(runs: &Value, (width, height): (f64, f64)) -> Mask {
    let mut pixels = Vec::new();
    for (idx, run) in floats(runs).into_iter().enumerate() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a length"
        )]
        pixels.extend(std::iter::repeat_n(idx % 2 == 1, run as usize));
    }
    mask(size_in_pixels((width, height)), |x, y, columns| {
        pixels[y * columns + x]
    })
}

fn mask((width, height): (usize, usize), is_painted: impl Fn(usize, usize, usize) -> bool) -> Mask {
    Mask::from_fn(width, height, |x, y| is_painted(x, y, width))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of images"
)]
fn size_in_pixels((width, height): (f64, f64)) -> (usize, usize) {
    (width as usize, height as usize)
}

/// Paints a polygon at four times the resolution, since outlines run between pixels.
fn painted(ring: &[[f64; 2]], size: (f64, f64)) -> Mask {
    let (width, height) = size_in_pixels((size.0 * 4.0, size.1 * 4.0));
    // Not quite in the middle of a row, where slanted edges would meet the middle of a pixel.
    let height_of = |row: usize| (f64::from(u32::try_from(row).unwrap()) + 0.37) / 4.0;
    let mut pixels = vec![false; width * height];
    for (row, pixels) in pixels.chunks_exact_mut(width).enumerate() {
        let y = height_of(row);
        let edges = ring.iter().zip(ring.iter().cycle().skip(1));
        for (a, b) in edges.filter(|(a, b)| (a[1] > y) != (b[1] > y)) {
            let crossing = (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0];
            let (n_left, _) = size_in_pixels(((crossing * 4.0 + 0.5).max(0.0), 0.0));
            pixels[..n_left.min(width)]
                .iter_mut()
                .for_each(|pixel| *pixel = !*pixel);
        }
    }
    Mask::from_fn(width, height, |x, y| pixels[y * width + x])
}

#[test]
fn masks_and_outlines_are_those_of_ultralytics() {
    let expected = expected("segment");
    let model = TinyModel::new(&[("model.onnx", "tiny-segment.onnx")]);
    let mut n_masks = 0;
    for (image, case) in expected.as_object().unwrap() {
        let conf = case["conf"].as_f64().unwrap();
        let size = size_of(case);
        let brush = control("BrushLabels", "model_path=\"model.onnx\"", conf);
        let brushes = predict(&model, &brush, image);
        let masks: Vec<Mask> = case["masks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|runs| mask_of(runs, size))
            .collect();
        let found = brushes.iter().map(support::brush_mask).collect::<Vec<_>>();
        // A grey level more or less moves the edges of a mask that is a few pixels large.
        let least = if tolerance(case) > TOLERANCE {
            0.9
        } else {
            0.99
        };
        for (idx, mask) in masks
            .iter()
            .enumerate()
            .filter(|(_, mask)| !mask.is_empty())
        {
            let best = found
                .iter()
                .map(|found| found.overlap(mask))
                .fold(0.0, f64::max);
            assert!(
                best >= least,
                "{image}: mask {idx} of {} pixels overlaps {best}",
                mask.area()
            );
            n_masks += 1;
        }

        let polygon = control("PolygonLabels", "model_path=\"model.onnx\"", conf);
        let polygons: Vec<Vec<[f64; 2]>> = predict(&model, &polygon, image)
            .iter()
            .map(|region| {
                let points = region["value"]["points"].as_array().unwrap();
                let point = |point: &Value| {
                    let point = floats(point);
                    [point[0] / 100.0 * size.0, point[1] / 100.0 * size.1]
                };
                points.iter().map(point).collect()
            })
            .collect();
        for (idx, ring) in case["polygons"].as_array().unwrap().iter().enumerate() {
            let ring: Vec<[f64; 2]> = ring
                .as_array()
                .unwrap()
                .iter()
                .map(|point| {
                    let point = floats(point);
                    [point[0], point[1]]
                })
                .collect();
            if ring.len() < 3 {
                continue;
            }
            let expected = painted(&ring, size);
            if expected.area() < 1000 {
                continue;
            }
            let best = polygons
                .iter()
                .map(|found| painted(found, size).overlap(&expected))
                .fold(0.0, f64::max);
            assert!(
                best >= least,
                "{image}: polygon {idx} of {} overlaps {best}",
                expected.area()
            );
        }
    }
    assert!(n_masks > 20, "only {n_masks} masks were compared");
}

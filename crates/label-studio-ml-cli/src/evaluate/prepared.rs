//! The regions of a control in the form that its metrics take.

use std::collections::BTreeSet;

use label_studio_sdk::{Region, brush_rle};
use serde_json::Value;

use super::samples::Pair;
use crate::metrics::{
    Detection, DetectionTask, EditCounts, PixelBox, Span, character_edits, mask_iou,
    object_keypoint_similarity, polygon_mask, word_edits,
};

/// Longest side of the masks that are compared, unless they are stored pixel by pixel.
const MASK_SIDE: f64 = 512.0;
/// Largest mask that is unpacked.
const MAX_PIXELS: u64 = 100_000_000;
/// How far off a key point may be, as a fraction of its object: the mean of COCO's points of the body.
const SIGMA: f64 = 0.0625;

/// Returns the choices of a control; a path of a taxonomy is one choice.
pub(super) fn choices(regions: &[Region]) -> Vec<String> {
    let mut chosen = Vec::new();
    for region in regions {
        let list = ["choices", "taxonomy", "selected", "labels"];
        let list = list.iter().find_map(|key| region.value.get(key));
        match list {
            Some(Value::Array(entries)) => chosen.extend(entries.iter().map(choice)),
            Some(entry) => chosen.push(choice(entry)),
            None => {}
        }
    }
    chosen
}

fn choice(entry: &Value) -> String {
    match entry {
        Value::String(text) => text.clone(),
        Value::Array(path) => path.iter().map(choice).collect::<Vec<_>>().join(" / "),
        other => other.to_string(),
    }
}

/// Returns spans of text or time, one for each label of a region. A region without a label has an empty one.
pub(super) fn spans(regions: &[Region]) -> Vec<Span> {
    let mut spans = Vec::new();
    for region in regions {
        let ranges = region.value.get("ranges").and_then(Value::as_array);
        let ranges = ranges.map_or_else(|| vec![&region.value], |ranges| ranges.iter().collect());
        for range in ranges {
            let offset = |names: [&str; 2]| {
                let mut found = names.iter().filter_map(|name| number(range.get(name)?));
                found.next()
            };
            // Regions of hypertext have places in the whole document, too.
            let global = region.value.get("globalOffsets");
            let global = global.and_then(|global| {
                Some((number(global.get("start")?)?, number(global.get("end")?)?))
            });
            let local = offset(["start", "startOffset"]).zip(offset(["end", "endOffset"]));
            let Some((start, end)) = global.or(local) else {
                continue;
            };
            let with = |label: &str| Span {
                start,
                end,
                label: label.to_owned(),
            };
            let n_before = spans.len();
            spans.extend(region.labels().map(with));
            if spans.len() == n_before {
                spans.push(with(""));
            }
        }
    }
    spans
}

/// Returns the boxes of a task; of one that is turned, the upright box around it.
pub(super) fn boxes(pair: &Pair) -> DetectionTask {
    let detections = |regions: &[Region]| -> Vec<Detection> {
        let boxes = regions.iter().filter_map(|region| {
            let (width, height) = size(region);
            let side = |name: &str| number(region.value.get(name)?);
            let corners = corners(
                (side("x")? * width / 100.0, side("y")? * height / 100.0),
                (
                    side("width")? * width / 100.0,
                    side("height")? * height / 100.0,
                ),
                side("rotation").unwrap_or_default(),
            );
            Some(Detection {
                label: region.labels().collect::<Vec<_>>().join(", "),
                area: around(&corners),
                score: region.score.unwrap_or(pair.score),
            })
        });
        boxes.collect()
    };
    DetectionTask {
        expected: detections(&pair.expected),
        predicted: detections(&pair.predicted),
    }
}

/// Returns the intersection over union of all regions of a label together, for each label of either side.
pub(super) fn mask_ious(pair: &Pair) -> Vec<f64> {
    let all = pair.expected.iter().chain(&pair.predicted);
    // One size for both sides: that of the masks that are stored pixel by pixel, else a smaller one.
    let (width, height) = all.clone().map(size).next().unwrap_or((100.0, 100.0));
    let is_brush = all.clone().any(|region| region.value.get("rle").is_some());
    let scale = if is_brush {
        1.0
    } else {
        (MASK_SIDE / width.max(height)).min(1.0)
    };
    let size = (pixels(width * scale), pixels(height * scale));
    let labels: BTreeSet<String> = all.map(label).collect();
    let union = |regions: &[Region], wanted: &str| {
        let mut union = vec![0; size.0 * size.1];
        for region in regions.iter().filter(|region| label(region) == wanted) {
            for (pixel, painted) in union.iter_mut().zip(mask(region, size)) {
                *pixel |= painted;
            }
        }
        union
    };
    labels
        .iter()
        .map(|label| {
            mask_iou(
                &union(&pair.expected, label),
                &union(&pair.predicted, label),
            )
        })
        .collect()
}

/// Returns the similarity of the key points of each label: the nearest ones are paired, and a missing one counts 0.
pub(super) fn key_point_similarities(pair: &Pair) -> Vec<f64> {
    let expected = points(&pair.expected);
    let mut predicted = points(&pair.predicted);
    let all: Vec<_> = expected.iter().map(|(_, point)| *point).collect();
    let object = around(&all);
    let image = pair.expected.iter().chain(&pair.predicted).map(size).next();
    let (width, height) = image.unwrap_or((100.0, 100.0));
    // A single point has no extent: a tenth of the image's sides stands for the object.
    let area = (object.width * object.height).max(width * height / 100.0);
    let mut similarities = Vec::new();
    for (label, point) in &expected {
        let distance = |other: &(f64, f64)| (other.0 - point.0).hypot(other.1 - point.1);
        let same = predicted
            .iter()
            .enumerate()
            .filter(|(_, (other, _))| other == label);
        let nearest =
            same.min_by(|(_, (_, one)), (_, (_, other))| distance(one).total_cmp(&distance(other)));
        let similarity = nearest.map(|(idx, (_, found))| {
            let similarity = object_keypoint_similarity(&[*point], &[*found], area, &[SIGMA]);
            (idx, similarity)
        });
        match similarity {
            Some((idx, similarity)) => {
                predicted.swap_remove(idx);
                similarities.push(similarity);
            }
            None => similarities.push(0.0),
        }
    }
    similarities.extend(predicted.iter().map(|_| 0.0));
    similarities
}

/// Returns the edits of words and of characters. Several texts are compared as one, in their order.
pub(super) fn edits(pair: &Pair) -> (EditCounts, EditCounts) {
    let text = |regions: &[Region]| {
        let texts = regions.iter().filter_map(|region| region.value.get("text"));
        let texts = texts.map(|text| match text {
            Value::Array(texts) => {
                let texts = texts.iter().filter_map(Value::as_str);
                texts.collect::<Vec<_>>().join("\n")
            }
            text => text.as_str().unwrap_or_default().to_owned(),
        });
        texts.collect::<Vec<_>>().join("\n")
    };
    let (expected, predicted) = (text(&pair.expected), text(&pair.predicted));
    (
        word_edits(&expected, &predicted),
        character_edits(&expected, &predicted),
    )
}

/// Returns the expected and the predicted number, if the task has both.
pub(super) fn numbers(pair: &Pair) -> Option<(f64, f64)> {
    let of = |regions: &[Region]| {
        let value = &regions.first()?.value;
        number(value.get("number").or_else(|| value.get("rating"))?)
    };
    of(&pair.expected).zip(of(&pair.predicted))
}

fn points(regions: &[Region]) -> Vec<(String, (f64, f64))> {
    let points = regions.iter().filter_map(|region| {
        let (width, height) = size(region);
        let x = number(region.value.get("x")?)? * width / 100.0;
        let y = number(region.value.get("y")?)? * height / 100.0;
        Some((label(region), (x, y)))
    });
    points.collect()
}

/// Paints a region of any form on a mask of a size.
fn mask(region: &Region, (width, height): (usize, usize)) -> Vec<u8> {
    let value = &region.value;
    if let Some(rle) = value.get("rle").and_then(Value::as_array) {
        let bytes: Option<Vec<u8>> = rle
            .iter()
            .map(|byte| u8::try_from(byte.as_u64()?).ok())
            .collect();
        let size = region.original_width.zip(region.original_height);
        let painted = bytes.zip(size).and_then(|(bytes, (width, height))| {
            brush_rle::decode(&bytes, width, height, MAX_PIXELS).ok()
        });
        return painted.unwrap_or_default();
    }
    #[expect(clippy::cast_precision_loss, reason = "sides of images are small")]
    let (across, down) = (width as f64 / 100.0, height as f64 / 100.0);
    let side = |name: &str| value.get(name).and_then(number).unwrap_or_default();
    let points: Vec<(f64, f64)> =
        if let Some(points) = value.get("points").and_then(Value::as_array) {
            points
                .iter()
                .filter_map(|point| {
                    Some((
                        number(point.get(0)?)? * across,
                        number(point.get(1)?)? * down,
                    ))
                })
                .collect()
        } else if value.get("radiusX").is_some() {
            let centre = (side("x") * across, side("y") * down);
            let radii = (side("radiusX") * across, side("radiusY") * down);
            ellipse(centre, radii, side("rotation"))
        } else {
            let start = (side("x") * across, side("y") * down);
            let extent = (side("width") * across, side("height") * down);
            corners(start, extent, side("rotation")).to_vec()
        };
    polygon_mask(&points, width, height)
}

/// Returns the corners of a rectangle that is turned around its first corner, as Label Studio turns it.
fn corners((x, y): (f64, f64), (width, height): (f64, f64), rotation: f64) -> [(f64, f64); 4] {
    let (sin, cos) = rotation.to_radians().sin_cos();
    let at =
        |across: f64, down: f64| (x + across * cos - down * sin, y + across * sin + down * cos);
    [
        at(0.0, 0.0),
        at(width, 0.0),
        at(width, height),
        at(0.0, height),
    ]
}

fn ellipse((x, y): (f64, f64), (across, down): (f64, f64), rotation: f64) -> Vec<(f64, f64)> {
    let (sin, cos) = rotation.to_radians().sin_cos();
    let at = |step: i32| {
        let (down_part, across_part) = (f64::from(step) * std::f64::consts::PI / 90.0).sin_cos();
        let (dx, dy) = (across * across_part, down * down_part);
        (x + dx * cos - dy * sin, y + dx * sin + dy * cos)
    };
    (0..180).map(at).collect()
}

fn around(points: &[(f64, f64)]) -> PixelBox {
    let mut ranges = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for (x, y) in points {
        for (range, value) in ranges.iter_mut().zip([x, y]) {
            *range = (range.0.min(*value), range.1.max(*value));
        }
    }
    let [(left, right), (top, bottom)] = ranges;
    PixelBox {
        x: left,
        y: top,
        width: (right - left).max(0.0),
        height: (bottom - top).max(0.0),
    }
}

fn label(region: &Region) -> String {
    region.labels().collect::<Vec<_>>().join(", ")
}

/// Returns the size of a region's image; 100 x 100 where it is not known.
fn size(region: &Region) -> (f64, f64) {
    let size = region.original_width.zip(region.original_height);
    let (width, height) = size
        .filter(|(width, height)| *width > 0 && *height > 0)
        .unwrap_or((100, 100));
    (width.into(), height.into())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the side of an image, at least 1"
)]
fn pixels(side: f64) -> usize {
    side.round().clamp(1.0, 100_000.0) as usize
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

//! From masks to regions.

use label_studio_sdk::{Region, brush_rle::BrushRleError};
use serde_json::{Map, Value, json};

use super::ScoredMask;
use crate::{Shape, ShapeTags, images::to_percent, masks::Mask};

/// Pixels that a polygon may be off the mask's outline.
const POLYGON_TOLERANCE: f64 = 1.5;
/// Outlines around less than this part of the largest are specks.
const SPECK: f64 = 0.01;

/// Converts a mask to regions: one brush region, or a polygon for each part; none for an empty
/// mask.
pub fn regions(
    tags: ShapeTags<'_>,
    label: Option<&str>,
    ScoredMask { mask, score }: &ScoredMask,
) -> Result<Vec<Region>, BrushRleError> {
    if mask.is_empty() {
        return Ok(Vec::new());
    }
    let values = if tags.shape.kind().starts_with("brush") {
        vec![json!({ "format": "rle", "rle": mask.brush_rle()? })]
    } else {
        polygons(mask)
    };
    let entries = |value: Value| {
        let value: Map<String, Value> = match value {
            Value::Object(value) => value,
            _ => Map::new(),
        };
        tags.regions(Shape {
            value,
            label,
            image_size: (length(mask.width()), length(mask.height())),
            score: *score,
        })
    };
    let editable = |mut region: Region| {
        region
            .extra
            .insert("readonly".to_owned(), Value::Bool(false));
        region
    };
    let regions = values.into_iter().flat_map(entries);
    Ok(regions.map(editable).collect())
}

fn polygons(mask: &Mask) -> Vec<Value> {
    let outlines = mask.polygons(POLYGON_TOLERANCE);
    let areas: Vec<_> = outlines.iter().map(|outline| area(outline)).collect();
    let largest = areas.iter().copied().fold(0.0, f64::max);
    let (width, height) = (length(mask.width()), length(mask.height()));
    let percent = |&(x, y): &(usize, usize)| {
        [
            to_percent(position(x), width),
            to_percent(position(y), height),
        ]
    };
    let kept = outlines
        .iter()
        .zip(areas)
        .filter(|(_, area)| *area >= SPECK * largest);
    kept.map(|(outline, _)| {
        let points: Vec<_> = outline.iter().map(percent).collect();
        json!({ "points": points, "closed": true })
    })
    .collect()
}

fn area(outline: &[(usize, usize)]) -> f64 {
    let next = outline.iter().cycle().skip(1);
    let doubled: f64 = outline
        .iter()
        .zip(next)
        .map(|(a, b)| position(a.0) * position(b.1) - position(b.0) * position(a.1))
        .sum();
    doubled.abs() / 2.0
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn position(position: usize) -> f64 {
    f64::from(length(position))
}

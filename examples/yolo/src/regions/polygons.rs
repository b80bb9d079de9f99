//! `PolygonLabels`.

use label_studio_ml::{Region, json};
use label_studio_vision::images::to_percent;

use super::region::{drawn, labelled};
use crate::{Control, Detections};

/// Fewer corners make no area.
const MIN_CORNERS: usize = 3;

pub(super) fn regions(control: &Control<'_>, found: &Detections) -> Vec<Region> {
    let (width, height) = found.letterbox.image;
    labelled(control, found)
        .filter_map(|(_, detection, label)| {
            let outline = found.outline(detection)?;
            if outline.len() < MIN_CORNERS {
                return None;
            }
            let points: Vec<_> = outline
                .into_iter()
                .map(|[x, y]| [to_percent(x, width), to_percent(y, height)])
                .collect();
            let value = json!({ "polygonlabels": [label], "points": points, "closed": true });
            Some(drawn(control, found, value, detection.score))
        })
        .collect()
}

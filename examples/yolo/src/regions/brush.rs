//! `BrushLabels`.

use label_studio_ml::{Region, anyhow, json};
use uuid::Uuid;

use super::region::{drawn, labelled};
use crate::{Control, Detections};

/// As long as the original's.
const N_ID_CHARACTERS: usize = 9;

pub(super) fn regions(control: &Control<'_>, found: &Detections) -> anyhow::Result<Vec<Region>> {
    let mut regions = Vec::new();
    for (_, detection, label) in labelled(control, found) {
        let Some(mask) = found.image_mask(detection).filter(|mask| !mask.is_empty()) else {
            continue;
        };
        let value = json!({ "format": "rle", "rle": mask.brush_rle()?, "brushlabels": [label] });
        let id = Uuid::new_v4().simple().to_string();
        let region = drawn(control, found, value, detection.score);
        regions.push(region.with_id(&id[..N_ID_CHARACTERS]));
    }
    Ok(regions)
}

//! `RectangleLabels`.

use label_studio_ml::{Region, Value, json};
use label_studio_vision::images::PercentBox;

use super::region::{drawn, labelled};
use crate::{Control, Detection, Detections};

pub(super) fn regions(control: &Control<'_>, found: &Detections) -> Vec<Region> {
    labelled(control, found)
        .map(|(_, detection, label)| {
            let value = value(found, detection, label);
            drawn(control, found, value, detection.score)
        })
        .collect()
}

/// The value of a rectangle around a detection.
pub(super) fn value(found: &Detections, detection: &Detection, label: &str) -> Value {
    let bounds = found.letterbox.box_to_image(detection.bounds);
    let PercentBox {
        x,
        y,
        width,
        height,
    } = PercentBox::from_pixels(bounds, found.letterbox.image);
    json!({
        "rectanglelabels": [label],
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "rotation": 0,
    })
}

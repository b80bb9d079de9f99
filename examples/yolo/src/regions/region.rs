//! What the regions of all kinds have in common.

use label_studio_ml::{Region, Value};

use crate::{Control, Detection, Detections};

/// The boxes that reach their minimum score and have a label, with their rank among all boxes.
pub(super) fn labelled<'a>(
    control: &'a Control<'_>,
    found: &'a Detections,
) -> impl Iterator<Item = (usize, &'a Detection, &'a str)> {
    let ranked = found.boxes.iter().enumerate();
    ranked.filter_map(|(rank, detection)| {
        let label = control.label(detection.class)?;
        let is_enough = detection.score >= control.threshold_of(label);
        is_enough.then_some((rank, detection, label))
    })
}

/// A region of the control tag.
pub(super) fn region(control: &Control<'_>, value: Value, score: f64) -> Region {
    let region = Region::new(
        &control.tag.name,
        &control.object.name,
        control.tag.kind(),
        value,
    );
    region.with_score(score.clamp(0.0, 1.0))
}

/// A region of the control tag that is drawn on the image that detections were found in.
pub(super) fn drawn(control: &Control<'_>, found: &Detections, value: Value, score: f64) -> Region {
    let (width, height) = found.letterbox.image;
    region(control, value, score).with_image_size(width, height)
}

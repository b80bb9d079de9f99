//! From what a network found to regions.

mod brush;
mod choices;
mod key_points;
mod polygons;
mod rectangles;
mod rotated;

use label_studio_ml::{
    Region, Value,
    anyhow::{self, bail},
};

use crate::{Answer, Control, Detection, Detections, Kind};

/// Makes the regions of a control tag on one image, the `item`th of its list if it is in one.
pub(crate) fn regions(
    control: &Control<'_>,
    answer: &Answer,
    item: Option<usize>,
) -> anyhow::Result<Vec<Region>> {
    match (control.kind, answer) {
        (Kind::Choices | Kind::Taxonomy, Answer::Probabilities(probabilities)) => {
            Ok(choices::regions(control, probabilities))
        }
        (Kind::Rectangle, Answer::Detections(found)) => Ok(rectangles::regions(control, found)),
        (Kind::RotatedRectangle, Answer::Detections(found)) => Ok(rotated::regions(control, found)),
        (Kind::Polygon, Answer::Detections(found)) => Ok(polygons::regions(control, found)),
        (Kind::Brush, Answer::Detections(found)) => brush::regions(control, found),
        (Kind::KeyPoint, Answer::Detections(found)) => {
            Ok(key_points::regions(control, found, item))
        }
        (kind, _) => bail!("a model for {} answered otherwise", kind.task()),
    }
}

/// The boxes that reach their minimum score and have a label, with their rank among all boxes.
fn labelled<'a>(
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
fn region(control: &Control<'_>, value: Value, score: f64) -> Region {
    let region = Region::new(
        &control.tag.name,
        &control.object.name,
        control.tag.kind(),
        value,
    );
    region.with_score(score.clamp(0.0, 1.0))
}

/// A region of the control tag that is drawn on the image that detections were found in.
fn drawn(control: &Control<'_>, found: &Detections, value: Value, score: f64) -> Region {
    let (width, height) = found.letterbox.image;
    region(control, value, score).with_image_size(width, height)
}

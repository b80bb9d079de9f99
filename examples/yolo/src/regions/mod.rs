//! From what a network found to regions.

mod brush;
mod choices;
mod key_points;
mod polygons;
mod rectangles;
mod region;
mod rotated;

use label_studio_ml::{
    Region,
    anyhow::{self, bail},
};

use crate::{Answer, Control, Kind};

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

//! From the tensors of a network to boxes.

mod detection;
mod mmdeploy;
mod rtdetr;
mod rtmdet;
mod tensors;
mod yolov3;

use label_studio_ml::anyhow;
use ndarray::ArrayViewD;

use crate::{Family, Settings, placement::Placement};

pub use detection::Detection;
pub(crate) use tensors::Tensors;

/// Reads the boxes of one image from its tensors, the best first, leaving out those below `min_score`.
pub(crate) fn decode(
    settings: &Settings,
    tensors: &[ArrayViewD<'_, f32>],
    placement: Placement,
    min_score: f64,
) -> anyhow::Result<Vec<Detection>> {
    let mut found = match settings.family {
        Family::Mmdeploy => mmdeploy::decode(tensors)?,
        Family::RtmdetRaw => rtmdet::decode(settings, tensors, placement, min_score)?,
        Family::Yolov3Raw => yolov3::decode(settings, tensors, placement)?,
        Family::Rtdetr => rtdetr::decode(settings, tensors, placement)?,
    };
    let n_classes = settings.classes.len();
    found.retain(|detection| {
        detection.score >= min_score
            && detection.class < n_classes
            && detection.bounds.iter().all(|edge| edge.is_finite())
    });
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    for detection in &mut found {
        detection.bounds = placement.to_image(detection.bounds);
    }
    Ok(found)
}

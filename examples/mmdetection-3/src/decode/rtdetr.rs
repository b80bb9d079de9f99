//! `logits` and `pred_boxes` of RT-DETR: each query's classes, and its box as parts of the image.

use label_studio_ml::anyhow::{self, ensure};
use label_studio_vision::boxes::from_centre;
use ndarray::ArrayViewD;

use super::{
    detection::Detection,
    tensors::{sigmoid, table},
};
use crate::{Settings, placement::Placement};

pub(super) fn decode(
    settings: &Settings,
    tensors: &[ArrayViewD<'_, f32>],
    placement: Placement,
) -> anyhow::Result<Vec<Detection>> {
    let logits = table(tensors.first(), "logits")?;
    let boxes = table(tensors.get(1), "pred_boxes")?;
    let n_classes = settings.classes.len();
    ensure!(
        logits.ncols() == n_classes && boxes.ncols() == 4,
        "the model gives {} logits and {} numbers per box where {n_classes} classes and 4 numbers are expected; name its \
         classes in the settings file beside it",
        logits.ncols(),
        boxes.ncols()
    );
    let (width, height) = (f64::from(placement.input.0), f64::from(placement.input.1));
    let mut found = Vec::new();
    for (logits, place) in logits.outer_iter().zip(boxes.outer_iter()) {
        let [x, y, w, h] = std::array::from_fn(|idx| f64::from(place[idx]));
        let bounds = from_centre([x * width, y * height, w * width, h * height]);
        found.extend(logits.iter().enumerate().map(|(class, logit)| Detection {
            bounds,
            class,
            score: sigmoid(*logit),
        }));
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(settings.max_boxes);
    Ok(found)
}

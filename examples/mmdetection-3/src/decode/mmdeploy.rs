//! `dets` and `labels` of `MMDeploy`: final boxes.

use label_studio_ml::anyhow::{self, Context, ensure};
use ndarray::{ArrayViewD, Ix1};

use super::{detection::Detection, tensors::table};

pub(super) fn decode(tensors: &[ArrayViewD<'_, f32>]) -> anyhow::Result<Vec<Detection>> {
    let boxes = table(tensors.first(), "dets")?;
    ensure!(
        boxes.ncols() == 5,
        "dets have {} columns instead of 5",
        boxes.ncols()
    );
    let labels = tensors.get(1).context("the model gives no labels")?;
    let labels = labels.view().into_dimensionality::<Ix1>()?;
    let rows = boxes.outer_iter().zip(labels.iter());
    // Rows without a box have the label -1.
    let found = rows.filter(|(_, label)| **label >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "labels are small naturals"
    )]
    Ok(found
        .map(|(row, label)| Detection {
            bounds: std::array::from_fn(|idx| f64::from(row[idx])),
            class: *label as usize,
            score: f64::from(row[4]),
        })
        .collect())
}

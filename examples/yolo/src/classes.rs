//! Probabilities of classes.

use label_studio_ml::anyhow::{self, ensure};
use ndarray::ArrayView1;

use crate::{Answer, Metadata};

/// Reads the probabilities of one image.
pub(crate) fn probabilities(
    row: &ArrayView1<'_, f32>,
    metadata: &Metadata,
) -> anyhow::Result<Answer> {
    ensure!(
        row.len() == metadata.names.len(),
        "it gives {} probabilities, but its metadata names {} classes",
        row.len(),
        metadata.names.len()
    );
    Ok(Answer::Probabilities(
        row.iter().copied().map(f64::from).collect(),
    ))
}

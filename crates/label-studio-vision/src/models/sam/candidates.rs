//! One of several masks.

use ndarray::{ArrayD, ArrayView2, Axis};

use super::{MaskChoice, SamError};

/// The masks that a decoder suggests for a prompt.
pub(super) struct Candidates {
    /// Shape [.., masks, rows, columns].
    pub(super) masks: ArrayD<f32>,
    /// Shape [.., masks].
    pub(super) scores: ArrayD<f32>,
}

impl Candidates {
    /// Takes one of the masks, with its score. `n_points` is the number of points that the decoder
    /// got, `file` its file, for errors.
    pub(super) fn choose(
        &self,
        choice: MaskChoice,
        n_points: usize,
        file: impl Fn() -> String,
    ) -> Result<(ArrayView2<'_, f32>, f32), SamError> {
        let Self { masks, scores } = self;
        let misshapen = || SamError::Shapes {
            file: file(),
            masks: masks.shape().to_vec(),
            scores: scores.shape().to_vec(),
        };
        let (&[.., n_masks, rows, columns], Some(scores)) = (masks.shape(), scores.as_slice())
        else {
            return Err(misshapen());
        };
        let flat = masks.view().into_shape_with_order((n_masks, rows, columns));
        let Ok(flat) = flat else {
            return Err(misshapen());
        };
        if n_masks == 0 || scores.len() != n_masks {
            return Err(misshapen());
        }
        let idx = choice.index(scores, n_points);
        Ok((flat.index_axis_move(Axis(0), idx), scores[idx]))
    }
}

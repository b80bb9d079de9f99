//! Layer normalization.

use pulp::Arch;

use super::rows::{sum, sum_pairs};

/// The parameters of a layer normalization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerNorm<'a> {
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
    pub(crate) eps: f32,
}

/// Where a normalization keeps what its backward pass needs.
#[derive(Debug)]
pub(crate) struct Normalized<'a> {
    /// The normalized rows, before weight and bias. Holds the rows to normalize at first.
    pub(crate) rows: &'a mut [f32],
    /// One over the standard deviation of each row.
    pub(crate) inverse_deviations: &'a mut [f32],
}

/// The gradients that a normalization passes on.
#[derive(Debug)]
pub(crate) struct NormGradients<'a> {
    /// Gradient of the output, replaced by that of the input.
    pub(crate) rows: &'a mut [f32],
    pub(crate) weight: &'a mut [f32],
    pub(crate) bias: &'a mut [f32],
}

impl LayerNorm<'_> {
    /// Normalizes rows in place, and writes them with weight and bias to `out`.
    pub(crate) fn forward(&self, normalized: Normalized<'_>, out: &mut [f32]) {
        let width = self.weight.len();
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let rows = normalized.rows.chunks_exact_mut(width);
                let outs = out.chunks_exact_mut(width);
                for ((row, out), inverse) in rows.zip(outs).zip(normalized.inverse_deviations) {
                    *inverse = self.normalize(row);
                    for idx in 0..width {
                        out[idx] = row[idx] * self.weight[idx] + self.bias[idx];
                    }
                }
            },
        );
    }

    /// Normalizes one row, and returns one over its standard deviation.
    #[inline(always)]
    fn normalize(&self, row: &mut [f32]) -> f32 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a row has a few thousand values"
        )]
        let width = row.len() as f32;
        let mean = sum(row, |x| x) / width;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / width;
        let inverse = 1.0 / (variance + self.eps).sqrt();
        for value in row {
            *value = (*value - mean) * inverse;
        }
        inverse
    }

    /// Passes gradients back. `normalized` is what the forward pass kept.
    pub(crate) fn backward(
        &self,
        normalized: &[f32],
        inverse_deviations: &[f32],
        gradients: NormGradients<'_>,
    ) {
        let width = self.weight.len();
        let NormGradients { rows, weight, bias } = gradients;
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let normalized = normalized.chunks_exact(width);
                let rows = rows.chunks_exact_mut(width);
                for ((row, x), inverse) in rows.zip(normalized).zip(inverse_deviations) {
                    for idx in 0..width {
                        weight[idx] += row[idx] * x[idx];
                        bias[idx] += row[idx];
                        row[idx] *= self.weight[idx];
                    }
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "a row has a few thousand values"
                    )]
                    let n = width as f32;
                    let mean = sum(row, |dx| dx) / n;
                    let mean_product = sum_pairs(row, x, |dx, x| dx * x) / n;
                    for idx in 0..width {
                        row[idx] = (row[idx] - mean - x[idx] * mean_product) * inverse;
                    }
                }
            },
        );
    }
}

//! Normalizations.

use pulp::Arch;

use crate::generation::checkpoint::{Norm, NormKind, NormWeights};

impl Norm {
    /// Returns the rows normalized; a row is as wide as the weights.
    pub(super) fn of(self, rows: &[f32], weights: &NormWeights) -> Vec<f32> {
        let mut out = rows.to_vec();
        self.apply(&mut out, weights);
        out
    }

    /// Normalizes rows that are as wide as the weights.
    pub(super) fn apply(self, rows: &mut [f32], weights: &NormWeights) {
        let width = weights.scale.len();
        let n = as_f32(width);
        let is_centred = self.kind == NormKind::Layer;
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(width) {
                    if is_centred {
                        let mean = sum(row, |x| x) / n;
                        for number in row.iter_mut() {
                            *number -= mean;
                        }
                    }
                    let scale = 1.0 / (sum(row, |x| x * x) / n + self.epsilon).sqrt();
                    for (number, weight) in row.iter_mut().zip(&weights.scale) {
                        *number *= scale * weight;
                    }
                    if let Some(shift) = &weights.shift {
                        for (number, shift) in row.iter_mut().zip(shift) {
                            *number += shift;
                        }
                    }
                }
            },
        );
    }
}

#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    const N_LANES: usize = 16;
    let (chunks, tail) = row.as_chunks::<N_LANES>();
    let mut sums = [0.0_f32; N_LANES];
    for chunk in chunks {
        for (sum, number) in sums.iter_mut().zip(chunk) {
            *sum += term(*number);
        }
    }
    sums.iter().sum::<f32>() + tail.iter().map(|number| term(*number)).sum::<f32>()
}

#[expect(clippy::cast_precision_loss, reason = "widths are below 2^24")]
fn as_f32(number: usize) -> f32 {
    number as f32
}

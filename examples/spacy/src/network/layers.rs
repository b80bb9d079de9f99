//! Layers of thinc.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use label_studio_ml::anyhow::{self, ensure};

use super::thinc::Layer;

/// Added to variances, as in thinc.
const EPSILON: f32 = 1e-8;

/// A product with a matrix, and a sum with a vector.
#[derive(Debug)]
pub(crate) struct Linear {
    /// `n_out` rows of `n_in` values.
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(crate) n_in: usize,
    pub(crate) n_out: usize,
}

/// The largest of several linear layers, normalised over its values.
#[derive(Debug)]
pub(super) struct Maxout {
    linear: Linear,
    n_pieces: usize,
    gain: Vec<f32>,
    shift: Vec<f32>,
}

/// A matrix of rows to multiply, which may start anywhere in a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowMatrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) n_rows: usize,
    pub(super) width: usize,
}

impl Linear {
    pub(crate) fn read(layer: &Layer) -> anyhow::Result<Self> {
        let (weights, bias) = (layer.tensor("W", 2)?, layer.tensor("b", 1)?);
        let [n_out, n_in] = [weights.shape[0], weights.shape[1]];
        ensure!(
            n_out > 0 && n_in > 0 && bias.shape == [n_out],
            "W and b of a layer {} do not fit together",
            layer.name
        );
        Ok(Self {
            weights: weights.values.clone(),
            bias: bias.values.clone(),
            n_in,
            n_out,
        })
    }

    /// Returns the values of each row, one row after the other.
    pub(crate) fn apply(&self, values: &[f32]) -> Vec<f32> {
        let n_rows = values.len() / self.n_in.max(1);
        let rows = RowMatrix {
            values,
            n_rows,
            width: self.n_in,
        };
        self.apply_parts(&[rows])
    }

    /// As [`Linear::apply`] for rows that are the parts one beside the other.
    fn apply_parts(&self, parts: &[RowMatrix<'_>]) -> Vec<f32> {
        let n_rows = parts.first().map_or(0, |part| part.n_rows);
        let mut out = Vec::with_capacity(n_rows * self.n_out);
        for _ in 0..n_rows {
            out.extend_from_slice(&self.bias);
        }
        let mut column = 0;
        for part in parts {
            let weights = MatRef::from_row_major_slice_with_stride(
                &self.weights[column..],
                self.n_out,
                part.width,
                self.n_in,
            );
            add_product(&mut out, *part, weights.transpose());
            column += part.width;
        }
        out
    }
}

impl Maxout {
    pub(super) fn read(layer: &Layer, norm: &Layer) -> anyhow::Result<Self> {
        let (weights, bias) = (layer.tensor("W", 3)?, layer.tensor("b", 2)?);
        let (gain, shift) = (norm.tensor("G", 1)?, norm.tensor("b", 1)?);
        let [n_out, n_pieces, n_in] = [weights.shape[0], weights.shape[1], weights.shape[2]];
        ensure!(
            n_pieces > 0
                && n_in > 0
                && n_out > 0
                && bias.shape == [n_out, n_pieces]
                && gain.shape == [n_out]
                && shift.shape == [n_out],
            "the parameters of a layer maxout do not fit together"
        );
        Ok(Self {
            linear: Linear {
                weights: weights.values.clone(),
                bias: bias.values.clone(),
                n_in,
                n_out: n_out * n_pieces,
            },
            n_pieces,
            gain: gain.values.clone(),
            shift: shift.values.clone(),
        })
    }

    pub(super) fn n_in(&self) -> usize {
        self.linear.n_in
    }

    pub(super) fn n_out(&self) -> usize {
        self.gain.len()
    }

    /// Returns the values of each row.
    pub(super) fn apply(&self, parts: &[RowMatrix<'_>]) -> Vec<f32> {
        let pieces = self.linear.apply_parts(parts);
        let mut out: Vec<f32> = pieces.chunks_exact(self.n_pieces).map(max).collect();
        for row in out.chunks_exact_mut(self.n_out()) {
            self.normalise(row);
        }
        out
    }

    #[expect(clippy::cast_precision_loss, reason = "rows are short")]
    fn normalise(&self, row: &mut [f32]) {
        let n_values = row.len() as f32;
        let mean = row.iter().sum::<f32>() / n_values;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / n_values;
        let scale = (variance + EPSILON).sqrt().recip();
        for ((value, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
            *value = (*value - mean) * scale * gain + shift;
        }
    }
}

pub(super) fn max(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Adds a product to rows that follow each other.
pub(super) fn add_product(out: &mut [f32], left: RowMatrix<'_>, right: MatRef<'_, f32>) {
    let left = MatRef::from_row_major_slice(
        &left.values[..left.n_rows * left.width],
        left.n_rows,
        left.width,
    );
    let out = MatMut::from_row_major_slice_mut(out, left.nrows(), right.ncols());
    matmul(out, Accum::Add, left, right, 1.0, Par::Seq);
}

//! Matrices of weights, and products of matrices.

use std::ops::Range;

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};

use super::{
    Numbers,
    dots::write_products,
    values::{bfloat_to_f32, half_to_f32},
};

/// Weights with a row per output.
#[derive(Debug, Clone)]
pub(in crate::generation) struct Matrix {
    numbers: Numbers,
    n_out: usize,
    n_in: usize,
}

/// A matrix in a slice, row by row.
#[derive(Debug, Clone, Copy)]
pub(in crate::generation) struct View<'a> {
    pub(in crate::generation) numbers: &'a [f32],
    pub(in crate::generation) n_rows: usize,
    pub(in crate::generation) n_columns: usize,
    /// Distance between two rows in the slice.
    pub(in crate::generation) stride: usize,
}

impl Matrix {
    /// Creates a matrix.
    ///
    /// # Panics
    /// When there are other than `n_out * n_in` numbers.
    pub(in crate::generation) fn new(numbers: Numbers, n_out: usize, n_in: usize) -> Self {
        assert_eq!(numbers.len(), n_out * n_in, "a matrix is whole");
        Self {
            numbers,
            n_out,
            n_in,
        }
    }

    pub(in crate::generation) fn n_out(&self) -> usize {
        self.n_out
    }

    pub(in crate::generation) fn n_in(&self) -> usize {
        self.n_in
    }

    /// Writes a row in single precision.
    pub(in crate::generation) fn read_row(&self, idx: usize, out: &mut [f32]) {
        self.numbers
            .widen(idx * self.n_in..(idx + 1) * self.n_in, out);
    }

    /// Writes the products of some outputs, from `first` on, with a few rows: for each output one number per row.
    pub(super) fn write_by_output(&self, first: usize, rows: &[f32], out: &mut [f32]) {
        let (n_in, n_rows) = (self.n_in, rows.len() / self.n_in);
        let part = first * n_in..first * n_in + out.len() / n_rows * n_in;
        match &self.numbers {
            Numbers::F32(numbers) => {
                write_products(&numbers[part], rows, n_in, out, |number| number);
            }
            Numbers::F16(numbers) => write_products(&numbers[part], rows, n_in, out, half_to_f32),
            Numbers::Bf16(numbers) => {
                write_products(&numbers[part], rows, n_in, out, bfloat_to_f32);
            }
        }
    }

    /// Returns some outputs of many rows, row by row.
    pub(super) fn by_row(&self, outputs: Range<usize>, rows: View<'_>) -> Vec<f32> {
        let n_out = outputs.len();
        let part = outputs.start * self.n_in..outputs.end * self.n_in;
        let mut out = vec![0.0; rows.n_rows * n_out];
        if let Numbers::F32(numbers) = &self.numbers {
            let weights = View::new(&numbers[part], n_out, self.n_in);
            multiply_transposed(rows, weights, &mut out);
        } else {
            let mut widened = vec![0.0; part.len()];
            self.numbers.widen(part, &mut widened);
            multiply_transposed(rows, View::new(&widened, n_out, self.n_in), &mut out);
        }
        out
    }
}

impl<'a> View<'a> {
    /// Views a matrix whose rows follow each other.
    pub(in crate::generation) fn new(numbers: &'a [f32], n_rows: usize, n_columns: usize) -> Self {
        Self {
            numbers,
            n_rows,
            n_columns,
            stride: n_columns,
        }
    }

    fn matrix(&self) -> MatRef<'a, f32> {
        MatRef::from_row_major_slice_with_stride(
            self.numbers,
            self.n_rows,
            self.n_columns,
            self.stride,
        )
    }
}

/// Writes the product of a matrix with the transpose of another one.
pub(in crate::generation) fn multiply_transposed(left: View<'_>, right: View<'_>, out: &mut [f32]) {
    let out = MatMut::from_row_major_slice_mut(out, left.n_rows, right.n_rows);
    let right = right.matrix().transpose();
    matmul(out, Accum::Replace, left.matrix(), right, 1.0, Par::Seq);
}

/// Writes the product of two matrices.
pub(in crate::generation) fn multiply(left: View<'_>, right: View<'_>, out: &mut [f32]) {
    let out = MatMut::from_row_major_slice_mut(out, left.n_rows, right.n_columns);
    matmul(
        out,
        Accum::Replace,
        left.matrix(),
        right.matrix(),
        1.0,
        Par::Seq,
    );
}

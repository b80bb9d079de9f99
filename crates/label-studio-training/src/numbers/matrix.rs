//! Products of matrices that lie in slices.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};

/// A matrix in a slice, row by row, or its transpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    n_rows: usize,
    n_columns: usize,
    /// Distance between two rows in the slice.
    stride: usize,
    is_transposed: bool,
}

/// A product of two matrices, times a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Product<'a> {
    left: Matrix<'a>,
    right: Matrix<'a>,
    scale: f32,
}

impl<'a> Matrix<'a> {
    /// Creates a matrix whose rows follow each other.
    pub(crate) fn new(values: &'a [f32], n_rows: usize, n_columns: usize) -> Self {
        Self::strided(values, n_rows, n_columns, n_columns)
    }

    /// Creates a matrix whose rows start `stride` values apart.
    pub(crate) fn strided(
        values: &'a [f32],
        n_rows: usize,
        n_columns: usize,
        stride: usize,
    ) -> Self {
        Self {
            values,
            n_rows,
            n_columns,
            stride,
            is_transposed: false,
        }
    }

    /// Returns the transpose.
    pub(crate) fn transposed(self) -> Self {
        Self {
            is_transposed: !self.is_transposed,
            ..self
        }
    }

    /// Returns the product with another matrix.
    pub(crate) fn times(self, right: Self) -> Product<'a> {
        Product {
            left: self,
            right,
            scale: 1.0,
        }
    }

    fn shape(&self) -> (usize, usize) {
        if self.is_transposed {
            (self.n_columns, self.n_rows)
        } else {
            (self.n_rows, self.n_columns)
        }
    }

    fn view(&self) -> MatRef<'a, f32> {
        let view = MatRef::from_row_major_slice_with_stride(
            self.values,
            self.n_rows,
            self.n_columns,
            self.stride,
        );
        if self.is_transposed {
            view.transpose()
        } else {
            view
        }
    }
}

impl Product<'_> {
    /// Multiplies the product with a number.
    pub(crate) fn scaled(self, scale: f32) -> Self {
        Self { scale, ..self }
    }

    /// Writes the product into rows that follow each other.
    pub(crate) fn write(self, out: &mut [f32]) {
        let stride = self.right.shape().1;
        self.run(out, stride, Accum::Replace);
    }

    /// Adds the product to rows that follow each other.
    pub(crate) fn add_to(self, out: &mut [f32]) {
        let stride = self.right.shape().1;
        self.run(out, stride, Accum::Add);
    }

    /// Writes the product into rows that start `stride` values apart.
    pub(crate) fn write_strided(self, out: &mut [f32], stride: usize) {
        self.run(out, stride, Accum::Replace);
    }

    /// Adds the product to rows that start `stride` values apart.
    pub(crate) fn add_strided(self, out: &mut [f32], stride: usize) {
        self.run(out, stride, Accum::Add);
    }

    fn run(self, out: &mut [f32], stride: usize, write: Accum) {
        let (n_rows, n_columns) = (self.left.shape().0, self.right.shape().1);
        // faer 0.24.4 mixes up the strides in `from_row_major_slice_with_stride_mut`.
        let out = MatMut::from_column_major_slice_with_stride_mut(out, n_columns, n_rows, stride);
        let out = out.transpose_mut();
        let (left, right) = (self.left.view(), self.right.view());
        matmul(out, write, left, right, self.scale, Par::Seq);
    }
}

#[cfg(test)]
mod tests {
    use super::Matrix;

    const LEFT: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    const RIGHT: [f32; 6] = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0];

    #[test]
    fn multiplies_with_transposes_strides_and_sums() {
        let (left, right) = (Matrix::new(&LEFT, 2, 3), Matrix::new(&RIGHT, 3, 2));
        let mut out = [0.0; 4];
        left.times(right).write(&mut out);
        assert_eq!(out.to_vec(), [5.0, 11.0, 14.0, 23.0]);
        left.times(right).scaled(2.0).add_to(&mut out);
        assert_eq!(out.to_vec(), [15.0, 33.0, 42.0, 69.0]);
        let same = Matrix::new(&RIGHT, 2, 3).transposed();
        left.times(same).write(&mut out);
        assert_eq!(out.to_vec(), [7.0, 10.0, 16.0, 22.0]);
        let mut wide = [9.0; 6];
        let column = Matrix::strided(&RIGHT, 3, 1, 2);
        left.times(column).write_strided(&mut wide, 3);
        assert_eq!(wide.to_vec(), [5.0, 9.0, 9.0, 14.0, 9.0, 9.0]);
    }
}

//! What a classifier learns from.

use crate::rows::Rows;

/// Examples to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// One row per example.
    pub rows: &'a Rows,
    /// Class of each row, counted from 0.
    pub classes: &'a [usize],
    /// How many classes there are; at least 2, each with an example.
    pub n_classes: usize,
    /// How many columns the rows have.
    pub n_columns: usize,
}

//! Columns that only one row uses, which are most n-grams, solved together.

use crate::rows::{Entry, Rows};

/// Merges, per row, all columns that no other row uses into one.
///
/// The solver sees such columns only through their weighted sum, so at the minimum their weights
/// are proportional to their values. One column that holds the length of those values stands for
/// all of them exactly, penalty included.
#[derive(Debug)]
pub(crate) struct Singletons {
    /// Column that stands for a shared column, none for one that is used once.
    shared: Vec<Option<u32>>,
    n_shared: u32,
    n_merged_columns: u32,
}

impl Singletons {
    pub(crate) fn new(rows: &Rows, n_columns: usize) -> Self {
        let mut n_uses = vec![0_u32; n_columns];
        for entry in rows.iter().flatten() {
            n_uses[entry.column as usize] += 1;
        }
        let mut n_shared = 0;
        let shared = n_uses.iter().map(|&n| {
            (n > 1).then(|| {
                n_shared += 1;
                n_shared - 1
            })
        });
        let shared: Vec<_> = shared.collect();
        let has_singleton = |row: &&[Entry]| {
            row.iter()
                .any(|entry| shared[entry.column as usize].is_none())
        };
        let n_lengths = rows.iter().filter(has_singleton).fold(0, |n, _| n + 1);
        Self {
            shared,
            n_shared,
            n_merged_columns: n_shared + n_lengths,
        }
    }

    pub(crate) fn n_merged_columns(&self) -> usize {
        self.n_merged_columns as usize
    }

    /// Returns `rows` with merged columns: the shared ones first, then one per row that has
    /// singletons.
    pub(crate) fn merged(&self, rows: &Rows) -> Rows {
        let mut next = self.n_shared;
        let mut merged = Rows::with_capacity(rows.len());
        for row in rows.iter() {
            let shared = row.iter().filter_map(|entry| {
                let column = self.shared[entry.column as usize]?;
                Some(Entry { column, ..*entry })
            });
            let length = self.length(row).map(|value| {
                next += 1;
                Entry {
                    column: next - 1,
                    value,
                }
            });
            merged.push(shared.chain(length));
        }
        merged
    }

    /// Returns the weights of the columns of `rows` that follow from the weights of the merged
    /// columns.
    pub(crate) fn spread(&self, rows: &Rows, merged: &[f64], n_outputs: usize) -> Vec<f64> {
        let of = |column: u32| &merged[column as usize * n_outputs..][..n_outputs];
        let mut weights = vec![0.0; self.shared.len() * n_outputs];
        let mut next = self.n_shared;
        for row in rows.iter() {
            let length = self.length(row);
            for entry in row {
                let (source, factor) = match (self.shared[entry.column as usize], length) {
                    (Some(column), _) => (of(column), 1.0),
                    (None, length) => (of(next), length.map_or(0.0, |length| entry.value / length)),
                };
                let column_weights = &mut weights[entry.column as usize * n_outputs..][..n_outputs];
                for (weight, source) in column_weights.iter_mut().zip(source) {
                    *weight = source * factor;
                }
            }
            next += u32::from(length.is_some());
        }
        weights
    }

    fn length(&self, row: &[Entry]) -> Option<f64> {
        let singletons = row
            .iter()
            .filter(|entry| self.shared[entry.column as usize].is_none());
        let mut squares = singletons.map(|entry| entry.value * entry.value).peekable();
        squares.peek()?;
        Some(squares.sum::<f64>().sqrt())
    }
}

//! A matrix that is mostly zeros, kept row by row.

/// One value of a row and the column that it stands in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Column of the value.
    pub column: u32,
    /// The value.
    pub value: f64,
}

/// Rows of a sparse matrix, in one piece of memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    entries: Vec<Entry>,
    ends: Vec<usize>,
}

impl Rows {
    /// Creates a matrix without rows that has room for `n_rows`.
    pub fn with_capacity(n_rows: usize) -> Self {
        Self {
            entries: Vec::new(),
            ends: Vec::with_capacity(n_rows),
        }
    }

    /// Appends a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = Entry>) {
        self.entries.extend(row);
        self.ends.push(self.entries.len());
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &[Entry]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.entries[start..end])
    }

    /// Returns the rows in order, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [Entry]> {
        let mut rest = self.entries.as_mut_slice();
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let (row, tail) = std::mem::take(&mut rest).split_at_mut(end - start);
            (start, rest) = (end, tail);
            row
        })
    }
}

//! Turns texts into rows of n-gram weights, with the formulas of scikit-learn's `TfidfVectorizer`.

use std::collections::HashMap;

use crate::{
    ngrams::for_each_ngram,
    rows::{Entry, Rows},
};

/// Weighs the n-grams of a text: the count of each times how rare it is, scaled to a row of length
/// one.
#[derive(Debug, Clone, PartialEq)]
pub struct TfIdf {
    columns: HashMap<Box<str>, u32>,
    idf: Vec<f64>,
}

impl TfIdf {
    /// Learns the vocabulary of `texts` and how rare each n-gram is, and returns their rows as
    /// well.
    pub fn fit(texts: &[&str]) -> (Self, Rows) {
        let (columns, mut rows) = counts(texts);
        let mut n_texts_with = vec![0_u32; columns.len()];
        for entry in rows.iter().flatten() {
            n_texts_with[entry.column as usize] += 1;
        }
        let n_texts = as_f64(texts.len());
        let idf = n_texts_with
            .iter()
            .map(|&n| ((1.0 + n_texts) / (1.0 + f64::from(n))).ln() + 1.0)
            .collect();
        let tf_idf = Self { columns, idf };
        rows.iter_mut().for_each(|row| tf_idf.weigh(row));
        (tf_idf, rows)
    }

    /// Puts together what [`TfIdf::vocabulary`] and [`TfIdf::idf`] returned.
    pub fn from_parts(vocabulary: Vec<String>, idf: Vec<f64>) -> Self {
        let columns = (0_u32..)
            .zip(vocabulary)
            .map(|(column, ngram)| (ngram.into_boxed_str(), column));
        Self {
            columns: columns.collect(),
            idf,
        }
    }

    /// Returns the known n-grams, sorted, which is the order of the columns.
    pub fn vocabulary(&self) -> Vec<&str> {
        let mut vocabulary = vec![""; self.columns.len()];
        for (ngram, &column) in &self.columns {
            vocabulary[column as usize] = ngram;
        }
        vocabulary
    }

    /// Returns how rare each n-gram is.
    pub fn idf(&self) -> &[f64] {
        &self.idf
    }

    /// Returns the row of `text`, by column. Unknown n-grams are left out; without a known one the
    /// row is empty.
    pub fn row(&self, text: &str) -> Vec<Entry> {
        let mut columns = Vec::new();
        for_each_ngram(text, |ngram| columns.extend(self.columns.get(ngram)));
        let mut row: Vec<_> = count(&mut columns).collect();
        self.weigh(&mut row);
        row
    }

    fn weigh(&self, row: &mut [Entry]) {
        for entry in row.iter_mut() {
            entry.value *= self.idf[entry.column as usize];
        }
        let length = row
            .iter()
            .map(|entry| entry.value * entry.value)
            .sum::<f64>()
            .sqrt();
        for entry in row {
            entry.value /= length;
        }
    }
}

/// Gives the n-grams of all texts their columns, in sorted order, and counts them per text.
fn counts(texts: &[&str]) -> (HashMap<Box<str>, u32>, Rows) {
    let mut columns = HashMap::<Box<str>, u32>::new();
    let mut unsorted = Vec::with_capacity(texts.len());
    for text in texts {
        let mut row = Vec::new();
        for_each_ngram(text, |ngram| {
            row.push(columns.get(ngram).copied().unwrap_or_else(|| {
                let column =
                    u32::try_from(columns.len()).expect("memory ends before 4 billion n-grams");
                columns.insert(ngram.into(), column);
                column
            }));
        });
        unsorted.push(row);
    }
    let mut vocabulary: Vec<_> = columns.iter_mut().collect();
    vocabulary.sort_unstable_by_key(|(ngram, _)| *ngram);
    let mut sorted_columns = vec![0; vocabulary.len()];
    for (sorted, (_, column)) in (0_u32..).zip(vocabulary) {
        sorted_columns[*column as usize] = sorted;
        *column = sorted;
    }
    let mut rows = Rows::with_capacity(texts.len());
    for mut row in unsorted {
        for column in &mut row {
            *column = sorted_columns[*column as usize];
        }
        rows.push(count(&mut row));
    }
    (columns, rows)
}

/// Counts equal columns, and sorts them.
fn count(columns: &mut [u32]) -> impl Iterator<Item = Entry> {
    columns.sort_unstable();
    columns.chunk_by(|a, b| a == b).map(|same| Entry {
        column: same[0],
        value: as_f64(same.len()),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of texts and tokens stay far below 2^52"
)]
fn as_f64(count: usize) -> f64 {
    count as f64
}

//! Tokens as models take them.

use ndarray::Array2;
use tokenizers::Encoding;

/// Encodings of several texts, one per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBatch {
    /// Ids of the tokens: `input_ids`.
    pub ids: Array2<i64>,
    /// 1 where a token is, 0 where there is padding.
    pub attention_mask: Array2<i64>,
    /// Which text of a pair a token belongs to: `token_type_ids`.
    pub type_ids: Array2<i64>,
}

impl TokenBatch {
    /// Lays encodings on top of each other. Rows shorter than the longest end in zeros, which no
    /// mask shows; a tokenizer with padding makes them equally long.
    pub fn new(encodings: &[Encoding]) -> Self {
        let n_columns = encodings.iter().map(Encoding::len).max().unwrap_or(0);
        let table = |row: fn(&Encoding) -> &[u32]| {
            let mut table = Array2::zeros((encodings.len(), n_columns));
            for (mut cells, encoding) in table.rows_mut().into_iter().zip(encodings) {
                for (cell, value) in cells.iter_mut().zip(row(encoding)) {
                    *cell = i64::from(*value);
                }
            }
            table
        };
        Self {
            ids: table(Encoding::get_ids),
            attention_mask: table(Encoding::get_attention_mask),
            type_ids: table(Encoding::get_type_ids),
        }
    }
}

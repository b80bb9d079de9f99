//! What tokens become before the first layer.

use std::ops::Range;

use super::{
    input::Packed,
    linear::{Linear, Norm},
    parameters::{Gradients, Layout},
    scratch::resized,
};
use crate::{
    checkpoint::{Family, Sizes},
    numbers::{dropout::Dropout, layer_norm::Normalized, rows::add},
};

/// Where the parameters of the embeddings are.
#[derive(Debug)]
pub(crate) struct Embeddings {
    pub(crate) words: Range<usize>,
    positions: Option<Range<usize>>,
    types: Option<Range<usize>>,
    norm: Norm,
    projection: Option<Projection>,
    pub(crate) width: usize,
}

/// From the width of the embeddings to that of the layers, if they differ.
#[derive(Debug)]
enum Projection {
    /// In front of the normalization, as in `DeBERTa`.
    First(Linear),
    /// Behind it, as in ELECTRA.
    Last(Linear),
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct EmbeddingMemory {
    normalized: Vec<f32>,
    inverse_deviations: Vec<f32>,
    /// What is projected.
    narrow: Vec<f32>,
    scratch: Vec<f32>,
}

impl Embeddings {
    pub(crate) fn add(layout: &mut Layout, sizes: &Sizes, prefix: &str) -> Self {
        let (width, hidden_size) = (sizes.embedding_size, sizes.hidden_size);
        let is_deberta = sizes.family == Family::DebertaV2;
        let mut table = |name: &str, n_rows| {
            let name = format!("{prefix}embeddings.{name}.weight");
            layout.add(name, &[n_rows, width], None)
        };
        let words = table("word_embeddings", sizes.vocab_size);
        let has_positions = match &sizes.deberta {
            Some(deberta) => deberta.position_biased_input,
            None => true,
        };
        let positions =
            has_positions.then(|| table("position_embeddings", sizes.max_position_embeddings));
        let types = (sizes.family != Family::DistilBert && sizes.type_vocab_size > 0)
            .then(|| table("token_type_embeddings", sizes.type_vocab_size));
        let (is_narrow, in_out) = (width != hidden_size, (width, hidden_size));
        let first = (is_narrow && is_deberta).then(|| {
            Linear::add_without_bias(layout, &format!("{prefix}embeddings.embed_proj"), in_out)
        });
        let norm_width = if first.is_some() { hidden_size } else { width };
        let norm = Norm::add(layout, &format!("{prefix}embeddings.LayerNorm"), norm_width);
        let last = (is_narrow && !is_deberta).then(|| {
            Linear::add(
                layout,
                &format!("{prefix}embeddings_project"),
                in_out,
                false,
            )
        });
        Self {
            words,
            positions,
            types,
            norm,
            projection: first.map(Projection::First).or(last.map(Projection::Last)),
            width,
        }
    }

    /// Writes the rows of all tokens to `out`.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (packed, eps, dropout): (&Packed, f32, Dropout),
        memory: &mut EmbeddingMemory,
        out: &mut Vec<f32>,
    ) {
        let n_rows = packed.n_tokens();
        let inverse_deviations = resized(&mut memory.inverse_deviations, n_rows);
        let norm = self.norm.with(values, eps);
        match &self.projection {
            None => {
                let rows = resized(&mut memory.normalized, n_rows * self.width);
                self.look_up(values, packed, rows);
                let out = resized(out, n_rows * self.width);
                norm.forward(
                    Normalized {
                        rows,
                        inverse_deviations,
                    },
                    out,
                );
                dropout.apply(out);
            }
            Some(Projection::First(projection)) => {
                let narrow = resized(&mut memory.narrow, n_rows * self.width);
                self.look_up(values, packed, narrow);
                let rows = resized(&mut memory.normalized, n_rows * projection.n_out);
                projection.forward(values, narrow, rows);
                let out = resized(out, n_rows * projection.n_out);
                norm.forward(
                    Normalized {
                        rows,
                        inverse_deviations,
                    },
                    out,
                );
                dropout.apply(out);
            }
            Some(Projection::Last(projection)) => {
                let rows = resized(&mut memory.normalized, n_rows * self.width);
                self.look_up(values, packed, rows);
                let narrow = resized(&mut memory.narrow, n_rows * self.width);
                norm.forward(
                    Normalized {
                        rows,
                        inverse_deviations,
                    },
                    narrow,
                );
                dropout.apply(narrow);
                let out = resized(out, n_rows * projection.n_out);
                projection.forward(values, narrow, out);
            }
        }
    }

    /// Adds up the embeddings of each token.
    fn look_up(&self, values: &[f32], packed: &Packed, rows: &mut [f32]) {
        let table = |range: &Range<usize>, idx: usize| {
            &values[range.clone()][idx * self.width..][..self.width]
        };
        for (idx, row) in rows.chunks_exact_mut(self.width).enumerate() {
            row.copy_from_slice(table(&self.words, packed.ids[idx]));
            if let Some(types) = &self.types {
                add(row, table(types, packed.types[idx]));
            }
            if let Some(positions) = &self.positions {
                add(row, table(positions, packed.positions[idx]));
            }
        }
    }

    /// Adds the gradients of the parameters; `rows` is the gradient of the output, and is used up.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (packed, eps, dropout): (&Packed, f32, Dropout),
        memory: &mut EmbeddingMemory,
        (rows, gradients): (&mut [f32], &mut Gradients),
    ) {
        let EmbeddingMemory {
            normalized,
            inverse_deviations,
            narrow,
            scratch,
        } = memory;
        let passed = resized(scratch, packed.n_tokens() * self.width);
        let norm = self.norm.with(values, eps);
        let rows = match &self.projection {
            Some(Projection::Last(projection)) => {
                projection.backward(narrow, rows, &mut gradients.values);
                let output = projection.outputs(rows);
                output.times(projection.weights(values)).write(passed);
                dropout.apply(passed);
                let norm_gradients = self.norm.gradients(passed, &mut gradients.values);
                norm.backward(normalized, inverse_deviations, norm_gradients);
                &*passed
            }
            other => {
                dropout.apply(rows);
                let norm_gradients = self.norm.gradients(rows, &mut gradients.values);
                norm.backward(normalized, inverse_deviations, norm_gradients);
                if let Some(Projection::First(projection)) = other {
                    projection.backward(narrow, rows, &mut gradients.values);
                    let output = projection.outputs(rows);
                    output.times(projection.weights(values)).write(passed);
                    &*passed
                } else {
                    &*rows
                }
            }
        };
        self.scatter(packed, rows, gradients);
    }

    /// Adds gradients to the rows of the tables.
    fn scatter(&self, packed: &Packed, rows: &[f32], gradients: &mut Gradients) {
        let out = &mut gradients.values;
        for (idx, row) in rows.chunks_exact(self.width).enumerate() {
            let mut add_to = |range: &Range<usize>, row_idx: usize| {
                let table = &mut out[range.clone()];
                add(&mut table[row_idx * self.width..][..self.width], row);
            };
            add_to(&self.words, packed.ids[idx]);
            if let Some(positions) = &self.positions {
                add_to(positions, packed.positions[idx]);
            }
            if let Some(types) = &self.types {
                add_to(types, packed.types[idx]);
            }
            gradients.touched[packed.ids[idx]] = true;
        }
    }
}

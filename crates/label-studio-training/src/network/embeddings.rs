//! What tokens become before the first layer.

use std::ops::Range;

use super::{
    input::Packed,
    linear::{Linear, Norm},
    parameters::{Gradients, Layout},
    scratch::resized,
};
use crate::{
    checkpoint::{Family, ModelConfig},
    numbers::{dropout::Dropout, layer_norm::Normalized, rows::add},
};

/// Where the parameters of the embeddings are.
#[derive(Debug)]
pub(crate) struct Embeddings {
    pub(crate) words: Range<usize>,
    positions: Range<usize>,
    types: Option<Range<usize>>,
    norm: Norm,
    /// From the width of the embeddings to that of the layers, if they differ.
    projection: Option<Linear>,
    pub(crate) width: usize,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct EmbeddingMemory {
    normalized: Vec<f32>,
    inverse_deviations: Vec<f32>,
    /// What is projected.
    narrow: Vec<f32>,
}

impl Embeddings {
    pub(crate) fn add(layout: &mut Layout, config: &ModelConfig) -> Self {
        let (sizes, prefix) = (&config.sizes, config.prefix());
        let width = sizes.embedding_size;
        let mut table = |name: &str, n_rows| {
            let name = format!("{prefix}embeddings.{name}.weight");
            layout.add(name, &[n_rows, width], None)
        };
        let words = table("word_embeddings", sizes.vocab_size);
        let positions = table("position_embeddings", sizes.max_position_embeddings);
        let types = (sizes.family != Family::DistilBert && sizes.type_vocab_size > 0)
            .then(|| table("token_type_embeddings", sizes.type_vocab_size));
        let norm = Norm::add(layout, &format!("{prefix}embeddings.LayerNorm"), width);
        let projection = (width != sizes.hidden_size).then(|| {
            let name = format!("{prefix}embeddings_project");
            Linear::add(layout, &name, (width, sizes.hidden_size), false)
        });
        Self {
            words,
            positions,
            types,
            norm,
            projection,
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
        let rows = resized(&mut memory.normalized, n_rows * self.width);
        let table = |range: &Range<usize>, idx: usize| {
            &values[range.clone()][idx * self.width..][..self.width]
        };
        for (idx, row) in rows.chunks_exact_mut(self.width).enumerate() {
            row.copy_from_slice(table(&self.words, packed.ids[idx]));
            if let Some(types) = &self.types {
                add(row, table(types, packed.types[idx]));
            }
            add(row, table(&self.positions, packed.positions[idx]));
        }
        let inverse_deviations = resized(&mut memory.inverse_deviations, n_rows);
        let normalized = Normalized {
            rows,
            inverse_deviations,
        };
        let norm = self.norm.with(values, eps);
        match &self.projection {
            None => {
                let out = resized(out, n_rows * self.width);
                norm.forward(normalized, out);
                dropout.apply(out);
            }
            Some(projection) => {
                let narrow = resized(&mut memory.narrow, n_rows * self.width);
                norm.forward(normalized, narrow);
                dropout.apply(narrow);
                let out = resized(out, n_rows * projection.n_out);
                projection.forward(values, narrow, out);
            }
        }
    }

    /// Adds the gradients of the parameters; `rows` is the gradient of the output, and is used up.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (packed, eps, dropout): (&Packed, f32, Dropout),
        memory: &EmbeddingMemory,
        (rows, gradients): (&mut [f32], &mut Gradients),
    ) {
        let mut narrow = Vec::new();
        let rows = match &self.projection {
            None => rows,
            Some(projection) => {
                projection.backward(&memory.narrow, rows, &mut gradients.values);
                let narrow = resized(&mut narrow, memory.narrow.len());
                let output = projection.outputs(rows);
                output.times(projection.weights(values)).write(narrow);
                narrow
            }
        };
        dropout.apply(rows);
        self.norm.with(values, eps).backward(
            &memory.normalized,
            &memory.inverse_deviations,
            self.norm.gradients(rows, &mut gradients.values),
        );
        let out = &mut gradients.values;
        for (idx, row) in rows.chunks_exact(self.width).enumerate() {
            let mut scatter = |range: &Range<usize>, row_idx: usize| {
                add(
                    &mut out[range.clone()][row_idx * self.width..][..self.width],
                    row,
                );
            };
            scatter(&self.words, packed.ids[idx]);
            scatter(&self.positions, packed.positions[idx]);
            if let Some(types) = &self.types {
                scatter(types, packed.types[idx]);
            }
            gradients.touched[packed.ids[idx]] = true;
        }
    }
}

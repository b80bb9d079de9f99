//! Embeddings of the distance between two tokens (He et al., "`DeBERTa`: Decoding-enhanced BERT with
//! Disentangled Attention", 2021).

use std::ops::Range;

use super::{
    linear::{Linear, Norm},
    parameters::Layout,
    scratch::resized,
};
use crate::{
    checkpoint::{Distances, Sizes},
    numbers::{dropout::Dropout, layer_norm::Normalized, rows::add},
};

/// Where the embeddings of distances are.
#[derive(Debug)]
pub(crate) struct Positions {
    table: Range<usize>,
    norm: Option<Norm>,
    width: usize,
    distances: Distances,
}

/// Which rows of the table a batch needs, and which of them stands for which distance.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// First row that is needed.
    first: usize,
    pub(crate) n_rows: usize,
    /// Rows by the key's place minus the query's, of the longest text.
    rows: Vec<u32>,
    longest: usize,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct PositionMemory {
    normalized: Vec<f32>,
    inverse_deviations: Vec<f32>,
    /// The embeddings.
    pub(crate) rows: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
}

/// The projections of distances in one layer.
#[derive(Debug)]
pub(crate) struct Projections {
    /// To keys, for the attention of contents to places.
    keys: Option<Linear>,
    /// To queries, for the attention of places to contents.
    queries: Option<Linear>,
}

/// The distances as one layer sees them.
#[derive(Debug, Default)]
pub(crate) struct Projected {
    input: Vec<f32>,
    /// Empty if the term is not used.
    pub(crate) keys: Vec<f32>,
    /// Empty if the term is not used.
    pub(crate) queries: Vec<f32>,
}

impl Positions {
    /// Adds the parameters, if the model has such embeddings.
    pub(crate) fn add(layout: &mut Layout, sizes: &Sizes, prefix: &str) -> Option<Self> {
        let deberta = sizes.deberta.as_ref()?;
        let distances = deberta.distances(sizes.max_position_embeddings)?;
        let width = sizes.hidden_size;
        let name = format!("{prefix}encoder.rel_embeddings.weight");
        let norm = format!("{prefix}encoder.LayerNorm");
        Some(Self {
            table: layout.add(name, &[2 * distances.span, width], None),
            norm: deberta
                .normalizes_distances()
                .then(|| Norm::add(layout, &norm, width)),
            width,
            distances,
        })
    }

    /// Finds out what a batch needs whose longest text has so many tokens.
    pub(crate) fn places(&self, longest: usize) -> Places {
        let last = isize::try_from(longest.max(1) - 1).expect("a text has fewer tokens than 2^63");
        let first = self.distances.row(-last);
        let row = |distance| {
            let row = self.distances.row(distance) - first;
            u32::try_from(row).expect("a table has fewer rows than 2^32")
        };
        Places {
            first,
            n_rows: self.distances.row(last) + 1 - first,
            rows: (-last..=last).rev().map(row).collect(),
            longest,
        }
    }

    /// Computes the embeddings that a batch needs.
    pub(crate) fn forward(
        &self,
        (values, eps): (&[f32], f32),
        places: &Places,
        memory: &mut PositionMemory,
    ) {
        let len = places.n_rows * self.width;
        let table = &values[self.table.clone()][places.first * self.width..][..len];
        let rows = resized(&mut memory.rows, len);
        let Some(norm) = &self.norm else {
            rows.copy_from_slice(table);
            return;
        };
        let normalized = resized(&mut memory.normalized, len);
        normalized.copy_from_slice(table);
        let normalized = Normalized {
            rows: normalized,
            inverse_deviations: resized(&mut memory.inverse_deviations, places.n_rows),
        };
        norm.with(values, eps).forward(normalized, rows);
    }

    /// Adds the gradients of the parameters, given that of the embeddings in `memory`.
    pub(crate) fn backward(
        &self,
        (values, eps): (&[f32], f32),
        places: &Places,
        memory: &mut PositionMemory,
        gradients: &mut [f32],
    ) {
        if let Some(norm) = &self.norm {
            norm.with(values, eps).backward(
                &memory.normalized,
                &memory.inverse_deviations,
                norm.gradients(&mut memory.gradient, gradients),
            );
        }
        let table = &mut gradients[self.table.clone()][places.first * self.width..];
        add(&mut table[..memory.gradient.len()], &memory.gradient);
    }

    /// Returns all rows of the table, which a batch of any length finds its own in.
    pub(crate) fn all(&self) -> Places {
        Places {
            first: 0,
            n_rows: 2 * self.distances.span,
            ..Places::default()
        }
    }
}

impl Places {
    /// Returns the row of each key's place for a query, in a text of `n_tokens`.
    pub(crate) fn of(&self, query: usize, n_tokens: usize) -> &[u32] {
        &self.rows[self.longest - 1 - query..][..n_tokens]
    }

    /// Returns where the rows start in those of the whole table.
    pub(crate) fn start(&self, width: usize) -> usize {
        self.first * width
    }
}

impl Projections {
    /// Adds the parameters of a layer, given its projection to queries, keys and values.
    pub(crate) fn add(
        layout: &mut Layout,
        sizes: &Sizes,
        (attention, qkv): (&str, &Linear),
    ) -> Option<Self> {
        let deberta = sizes.deberta.as_ref()?;
        deberta.distances(sizes.max_position_embeddings)?;
        let width = sizes.hidden_size;
        let mut projection = |name: &str, place: usize| {
            if deberta.share_att_key {
                return qkv.part(place * width, width);
            }
            Linear::add(
                layout,
                &format!("{attention}.{name}"),
                (width, width),
                false,
            )
        };
        let has_keys = deberta.has_content_to_position();
        let has_queries = deberta.has_position_to_content();
        Some(Self {
            keys: has_keys.then(|| projection("pos_key_proj", 1)),
            queries: has_queries.then(|| projection("pos_query_proj", 0)),
        })
    }

    /// Projects the embeddings of distances.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (rows, dropout): (&[f32], Dropout),
        projected: &mut Projected,
    ) {
        projected.input.clear();
        projected.input.extend_from_slice(rows);
        dropout.apply(&mut projected.input);
        let project = |linear: &Option<Linear>, out: &mut Vec<f32>| {
            if let Some(linear) = linear {
                let out = resized(out, rows.len());
                linear.forward(values, &projected.input, out);
            }
        };
        project(&self.keys, &mut projected.keys);
        project(&self.queries, &mut projected.queries);
    }

    /// Adds the gradients of the parameters, and to `rows` those of the embeddings, given those of
    /// the projections.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (projected, dropout): (&Projected, Dropout),
        (keys, queries): (&[f32], &[f32]),
        (rows, gradients, scratch): (&mut [f32], &mut [f32], &mut Vec<f32>),
    ) {
        let input = resized(scratch, rows.len());
        input.fill(0.0);
        for (linear, gradient) in [(&self.keys, keys), (&self.queries, queries)] {
            if let Some(linear) = linear {
                linear.backward(&projected.input, gradient, gradients);
                linear.add_input_gradient(values, gradient, input);
            }
        }
        dropout.apply(input);
        add(rows, input);
    }
}

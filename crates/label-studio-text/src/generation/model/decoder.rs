//! From the next tokens of several sequences to the logits behind them.

use super::{
    attention::{Asked, Attention},
    cache::Cache,
    rotation::Rotation,
};
use crate::generation::{
    GenerationError,
    checkpoint::{Architecture, Block, Feed, Layer, NormWeights, Weights},
    numbers::Matrix,
};

/// A decoder with its weights.
#[derive(Debug)]
pub(in crate::generation) struct Decoder {
    architecture: Architecture,
    weights: Weights,
}

/// The next tokens of a sequence.
#[derive(Debug)]
pub(in crate::generation) struct Segment<'a> {
    /// Keys and values of the tokens before; those of these tokens are added.
    pub(in crate::generation) cache: &'a mut Cache,
    /// At least one token.
    pub(in crate::generation) ids: &'a [u32],
    /// Tokens of the sequence as it is known: those before, these, and those that follow in later calls.
    pub(in crate::generation) n_total: usize,
}

/// Where the tokens of a call are.
struct Rows {
    /// Position of each token, and how many its sequence has.
    positions: Vec<(usize, usize)>,
    /// Tokens of each sequence.
    n_tokens: Vec<usize>,
}

impl Decoder {
    pub(in crate::generation) fn new(architecture: Architecture, weights: Weights) -> Self {
        Self {
            architecture,
            weights,
        }
    }

    pub(in crate::generation) fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Returns from how many tokens on a sequence has other frequencies of its positions, if that is so.
    pub(in crate::generation) fn long_from(&self) -> Option<usize> {
        let mut ropes = self.architecture.ropes.iter();
        let (_, original) = ropes.find_map(|rope| rope.long.as_ref())?;
        Some(original + 1)
    }

    /// Creates the cache of an empty sequence.
    pub(in crate::generation) fn cache(&self) -> Cache {
        Cache::new(self.weights.layers.len())
    }

    /// Runs tokens through the layers, and returns the logits behind the last token of each sequence. There is no
    /// padding: the tokens of all sequences lie one after the other.
    pub(in crate::generation) fn forward(
        &self,
        segments: &mut [Segment<'_>],
    ) -> Result<Vec<Vec<f32>>, GenerationError> {
        // Within the pool of threads, so that each product of matrices finds them awake.
        rayon::scope(|_| self.run(segments))
    }

    fn run(&self, segments: &mut [Segment<'_>]) -> Result<Vec<Vec<f32>>, GenerationError> {
        let rows = Rows::of(segments);
        let mut hidden = self.embed(segments, &rows)?;
        let rotations = self.architecture.ropes.iter();
        let rotations: Vec<_> = rotations
            .map(|rope| Rotation::new(rope, rows.positions.iter().copied()))
            .collect();
        for (idx, layer) in self.weights.layers.iter().enumerate() {
            let rope = self.architecture.layers[idx].rope;
            let at = LayerCall {
                idx,
                layer,
                rows: &rows,
                rotation: rope.map(|rope| &rotations[rope]),
            };
            self.layer(&at, segments, &mut hidden);
        }
        for (segment, n_tokens) in segments.iter_mut().zip(&rows.n_tokens) {
            segment.cache.count(*n_tokens);
        }
        self.logits(&hidden, &rows)
    }

    fn embed(&self, segments: &[Segment<'_>], rows: &Rows) -> Result<Vec<f32>, GenerationError> {
        let n_tokens = self.architecture.sizes.n_tokens;
        let ids = segments.iter().flat_map(|segment| segment.ids);
        let indices = ids.map(|id| match usize::try_from(*id) {
            Ok(idx) if idx < n_tokens => Ok(idx),
            _ => Err(GenerationError::UnknownToken { id: *id, n_tokens }),
        });
        let indices: Vec<usize> = indices.collect::<Result<_, _>>()?;
        let mut hidden = gather(&self.weights.embedding, &indices);
        let scale = self.architecture.scales.embedding;
        if scale.to_bits() != 1.0_f32.to_bits() {
            for number in &mut hidden {
                *number *= scale;
            }
        }
        if let Some((inward, _)) = &self.weights.projections {
            hidden = inward.forward(&hidden);
        }
        let first = self.architecture.first_position.unwrap_or(0);
        if let Some(positions) = &self.weights.positions {
            let indices = rows.positions.iter().map(|(position, _)| first + position);
            let indices: Vec<usize> = indices.collect();
            add(&mut hidden, &gather(positions, &indices));
        }
        Ok(hidden)
    }

    fn layer(&self, at: &LayerCall<'_>, segments: &mut [Segment<'_>], hidden: &mut Vec<f32>) {
        let (layer, norm) = (at.layer, self.architecture.norm);
        let apply = |mut rows: Vec<f32>, weights: &Option<NormWeights>| {
            if let Some(weights) = weights {
                norm.apply(&mut rows, weights);
            }
            rows
        };
        match self.architecture.block {
            Block::Parallel => {
                let normal = norm.of(hidden, &layer.attention_norm);
                let fed = self.feed(&layer.feed, &normal);
                add(hidden, &self.attend(at, segments, &normal));
                add(hidden, &fed);
            }
            Block::After => {
                let attended = self.attend(at, segments, hidden);
                add(hidden, &attended);
                norm.apply(hidden, &layer.attention_norm);
                let fed = self.feed(&layer.feed, hidden);
                add(hidden, &fed);
                *hidden = apply(std::mem::take(hidden), &layer.feed_norm);
            }
            Block::Before | Block::Around => {
                let normal = norm.of(hidden, &layer.attention_norm);
                let attended = self.attend(at, segments, &normal);
                add(hidden, &apply(attended, &layer.attention_out_norm));
                let normal = apply(hidden.clone(), &layer.feed_norm);
                let fed = self.feed(&layer.feed, &normal);
                add(hidden, &apply(fed, &layer.feed_out_norm));
            }
        }
    }

    fn attend(&self, at: &LayerCall<'_>, segments: &mut [Segment<'_>], rows: &[f32]) -> Vec<f32> {
        let sizes = &self.architecture.sizes;
        let (head_width, queries) = (sizes.head_width, sizes.query_width());
        let keys = sizes.key_width();
        let mut mixed = at.layer.attention_in.forward(rows);
        for (token, mixed) in mixed.chunks_exact_mut(queries + 2 * keys).enumerate() {
            let (queries, others) = mixed.split_at_mut(queries);
            let keys = &mut others[..keys];
            if let Some((query_norm, key_norm)) = &at.layer.head_norms {
                self.architecture.norm.apply(queries, query_norm);
                self.architecture.norm.apply(keys, key_norm);
            }
            if let Some(rotation) = at.rotation {
                rotation.apply(token, queries, head_width);
                rotation.apply(token, keys, head_width);
            }
        }
        let mut rest = mixed.chunks_exact(queries + 2 * keys);
        let mut asked = Vec::with_capacity(segments.len());
        for (segment, n_tokens) in segments.iter_mut().zip(&at.rows.n_tokens) {
            let known = segment.cache.layer(at.idx);
            let mut own = Vec::with_capacity(n_tokens * queries);
            for mixed in rest.by_ref().take(*n_tokens) {
                own.extend_from_slice(&mixed[..queries]);
                known
                    .keys
                    .extend_from_slice(&mixed[queries..queries + keys]);
                known.values.extend_from_slice(&mixed[queries + keys..]);
            }
            asked.push(Asked {
                queries: own,
                known,
            });
        }
        let attention = Attention {
            sizes,
            scales: &self.architecture.scales,
            plan: self.architecture.layers[at.idx],
        };
        at.layer.attention_out.forward(&attention.run(&asked))
    }

    fn feed(&self, feed: &Feed, rows: &[f32]) -> Vec<f32> {
        let mut inner = feed.inward.forward(rows);
        let activation = self.architecture.activation;
        if self.architecture.is_gated {
            let width = self.architecture.sizes.inner_width;
            let mut opened = Vec::with_capacity(inner.len() / 2);
            for row in inner.chunks_exact_mut(2 * width) {
                let (gates, values) = row.split_at_mut(width);
                activation.apply(gates);
                opened.extend(gates.iter().zip(values).map(|(gate, value)| *gate * *value));
            }
            inner = opened;
        } else {
            activation.apply(&mut inner);
        }
        feed.outward.forward(&inner)
    }

    fn logits(&self, hidden: &[f32], rows: &Rows) -> Result<Vec<Vec<f32>>, GenerationError> {
        let width = self.architecture.sizes.width;
        let mut end = 0;
        let mut last = Vec::with_capacity(rows.n_tokens.len() * width);
        for n_tokens in &rows.n_tokens {
            end += n_tokens * width;
            last.extend_from_slice(&hidden[end - width..end]);
        }
        if let Some(weights) = &self.weights.final_norm {
            self.architecture.norm.apply(&mut last, weights);
        }
        if let Some((_, outward)) = &self.weights.projections {
            last = outward.forward(&last);
        }
        let mut logits = match &self.weights.head {
            Some(head) => head.forward(&last),
            None => self.weights.embedding.forward(&last),
        };
        if let Some(cap) = self.architecture.scales.logit_cap {
            for logit in &mut logits {
                *logit = cap * (*logit / cap).tanh();
            }
        }
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(GenerationError::Diverged);
        }
        let n_tokens = self.architecture.sizes.n_tokens;
        Ok(logits.chunks(n_tokens).map(<[f32]>::to_vec).collect())
    }
}

/// A layer, and what it is run on.
struct LayerCall<'a> {
    idx: usize,
    layer: &'a Layer,
    rows: &'a Rows,
    rotation: Option<&'a Rotation>,
}

impl Rows {
    fn of(segments: &[Segment<'_>]) -> Self {
        let positions = segments.iter().flat_map(|segment| {
            let start = segment.cache.n_tokens();
            let end = start + segment.ids.len();
            let n_total = segment.n_total;
            (start..end).map(move |position| (position, n_total))
        });
        Self {
            positions: positions.collect(),
            n_tokens: segments.iter().map(|segment| segment.ids.len()).collect(),
        }
    }
}

fn gather(matrix: &Matrix, indices: &[usize]) -> Vec<f32> {
    let width = matrix.n_in();
    let mut out = vec![0.0; indices.len() * width];
    for (idx, out) in indices.iter().zip(out.chunks_exact_mut(width)) {
        matrix.read_row(*idx, out);
    }
    out
}

fn add(out: &mut [f32], rows: &[f32]) {
    for (out, number) in out.iter_mut().zip(rows) {
        *out += number;
    }
}

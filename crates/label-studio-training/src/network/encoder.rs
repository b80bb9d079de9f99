//! An encoder without a head.

use super::{
    convolution::{Convolution, ConvolutionMemory},
    embeddings::{EmbeddingMemory, Embeddings},
    input::Packed,
    layer::{Layer, LayerDistances, LayerGradients, LayerMemory, LayerOptions, LayerPass},
    parameters::{Gradients, Layout},
    positions::{Places, PositionMemory, Positions, Projected},
    scratch::{Scratch, resized},
};
use crate::{
    checkpoint::{Deberta, Family, Sizes},
    numbers::{
        dropout::{Dropout, mixed},
        rows::add,
    },
};

/// Where the parameters of an encoder are.
#[derive(Debug)]
pub(crate) struct Encoder {
    sizes: Sizes,
    pub(crate) embeddings: Embeddings,
    positions: Option<Positions>,
    layers: Vec<Layer>,
    convolution: Option<Convolution>,
}

/// What a pass is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// No dropout, and nothing is kept.
    Predict,
    /// Dropout with this seed, and all is kept for the backward pass.
    Learn(u32),
}

/// A forward pass that a backward pass can follow.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) packed: Packed,
    pub(crate) mode: Mode,
    places: Option<Places>,
}

/// Memory of an encoder. It grows to what the largest batch needs, and is used again.
#[derive(Debug, Default)]
pub(crate) struct EncoderMemory {
    embeddings: EmbeddingMemory,
    positions: PositionMemory,
    layers: Vec<LayerMemory>,
    convolution: ConvolutionMemory,
    /// The rows of the last layer, or their gradient.
    pub(crate) rows: Vec<f32>,
    spare: Vec<f32>,
    scratch: Scratch,
}

impl Encoder {
    /// Adds the parameters, whose names start with `prefix`.
    pub(crate) fn add(layout: &mut Layout, sizes: &Sizes, prefix: &str) -> Self {
        let embeddings = Embeddings::add(layout, sizes, prefix);
        let layers = (0..sizes.num_hidden_layers)
            .map(|idx| Layer::add(layout, (sizes, prefix), idx))
            .collect();
        Self {
            embeddings,
            layers,
            positions: Positions::add(layout, sizes, prefix),
            convolution: Convolution::add(layout, sizes, prefix),
            sizes: sizes.clone(),
        }
    }

    /// Returns the width of the rows.
    pub(crate) fn width(&self) -> usize {
        self.sizes.hidden_size
    }

    /// Projects the distances of tokens for all layers: they are the same for all texts. Empty if
    /// the model has none.
    pub(crate) fn project_distances(&self, values: &[f32]) -> Vec<Projected> {
        let Some(positions) = &self.positions else {
            return Vec::new();
        };
        let mut memory = PositionMemory::default();
        positions.forward((values, self.eps()), &positions.all(), &mut memory);
        let project = |layer: &Layer| {
            let mut projected = Projected::default();
            layer.project(values, &memory.rows, &mut projected);
            projected
        };
        self.layers.iter().map(project).collect()
    }

    /// Computes the rows of all tokens: `memory.rows`. Without projected distances, the pass
    /// projects those that it needs.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (packed, mode): (Packed, Mode),
        distances: &[Projected],
        memory: &mut EncoderMemory,
    ) -> Pass {
        let places = self.positions.as_ref().map(|positions| {
            let places = positions.places(packed.longest());
            if distances.is_empty() {
                positions.forward((values, self.eps()), &places, &mut memory.positions);
            }
            places
        });
        let pass = Pass {
            packed,
            mode,
            places,
        };
        let n_memories = match mode {
            Mode::Predict => 1,
            Mode::Learn(_) => self.layers.len().max(1),
        };
        if memory.layers.len() < n_memories {
            memory.layers.resize_with(n_memories, LayerMemory::default);
        }
        let mut rows = std::mem::take(&mut memory.layers[0].input);
        let packed = &pass.packed;
        let embedding_options = (packed, self.eps(), self.embedding_dropout(mode));
        self.embeddings
            .forward(values, embedding_options, &mut memory.embeddings, &mut rows);
        for (idx, layer) in self.layers.iter().enumerate() {
            let is_last = idx + 1 == self.layers.len();
            let mut out = match mode {
                Mode::Learn(_) if !is_last => std::mem::take(&mut memory.layers[idx + 1].input),
                _ => std::mem::take(&mut memory.spare),
            };
            // Without learning, all layers share one memory, and rows change places.
            let layer_memory = &mut memory.layers[idx.min(n_memories - 1)];
            layer_memory.input = rows;
            let distances = match distances.get(idx) {
                Some(projected) => LayerDistances::Projected(projected),
                None => LayerDistances::Embedded(&memory.positions.rows),
            };
            let layer_pass = self.layer_pass(&pass, idx, distances);
            let outputs = (&mut out, &mut memory.scratch);
            layer.forward(values, layer_pass, layer_memory, outputs);
            if idx == 0
                && let Some(convolution) = &self.convolution
            {
                convolution.forward(
                    (values, self.eps()),
                    (packed, layer_pass.options.convolution_dropout()),
                    &layer_memory.input,
                    (&mut memory.convolution, &mut out),
                );
            }
            if matches!(mode, Mode::Predict) {
                memory.spare = std::mem::take(&mut layer_memory.input);
            }
            rows = out;
        }
        let old = std::mem::replace(&mut memory.rows, rows);
        match mode {
            Mode::Predict => memory.layers[0].input = old,
            Mode::Learn(_) => memory.spare = old,
        }
        pass
    }

    /// Adds the gradients of all parameters, given that of the rows in `memory.rows`.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        pass: &Pass,
        memory: &mut EncoderMemory,
        gradients: &mut Gradients,
    ) {
        let EncoderMemory {
            embeddings,
            positions,
            layers,
            convolution: convolution_memory,
            rows,
            scratch,
            ..
        } = memory;
        let n_distances = positions.rows.len();
        resized(&mut positions.gradient, n_distances).fill(0.0);
        for (idx, layer) in self.layers.iter().enumerate().rev() {
            let distances = LayerDistances::Embedded(&positions.rows);
            let layer_pass = self.layer_pass(pass, idx, distances);
            let convolution = self.convolution.as_ref().filter(|_| idx == 0);
            if let Some(convolution) = convolution {
                convolution.backward(
                    (values, self.eps()),
                    (&pass.packed, layer_pass.options.convolution_dropout()),
                    convolution_memory,
                    (rows, &mut gradients.values),
                );
            }
            let layer_gradients = LayerGradients {
                rows,
                distances: &mut positions.gradient,
                parameters: &mut gradients.values,
                scratch,
            };
            layer.backward(values, layer_pass, &layers[idx], layer_gradients);
            if convolution.is_some() {
                add(rows, &convolution_memory.gradient);
            }
        }
        if let (Some(known), Some(places)) = (&self.positions, &pass.places) {
            let parameters = (values, self.eps());
            known.backward(parameters, places, positions, &mut gradients.values);
        }
        let options = (&pass.packed, self.eps(), self.embedding_dropout(pass.mode));
        self.embeddings
            .backward(values, options, embeddings, (rows, gradients));
    }

    fn layer_pass<'a>(
        &self,
        pass: &'a Pass,
        idx: usize,
        distances: LayerDistances<'a>,
    ) -> LayerPass<'a> {
        LayerPass {
            packed: &pass.packed,
            options: self.layer_options(pass.mode).of_layer(idx),
            places: pass.places.as_ref(),
            distances,
        }
    }

    fn eps(&self) -> f32 {
        self.sizes.layer_norm_eps
    }

    fn embedding_dropout(&self, mode: Mode) -> Dropout {
        match mode {
            Mode::Predict => Dropout::new(0.0, 0),
            Mode::Learn(seed) => Dropout::new(self.sizes.hidden_dropout_prob, mixed(4, seed)),
        }
    }

    fn layer_options(&self, mode: Mode) -> LayerOptions {
        let sizes = &self.sizes;
        let (hidden, attention) = match mode {
            Mode::Predict => (0.0, 0.0),
            Mode::Learn(_) => (
                sizes.hidden_dropout_prob,
                sizes.attention_probs_dropout_prob,
            ),
        };
        let is_distil = sizes.family == Family::DistilBert;
        LayerOptions {
            n_heads: sizes.num_attention_heads,
            n_terms: sizes.deberta.as_ref().map_or(1, Deberta::n_terms),
            activation: sizes.hidden_act,
            eps: sizes.layer_norm_eps,
            hidden_dropout: hidden,
            output_dropout: if is_distil { 0.0 } else { hidden },
            attention_dropout: attention,
            seed: mode.seed().unwrap_or(0),
        }
    }
}

impl Mode {
    pub(crate) fn seed(self) -> Option<u32> {
        match self {
            Self::Predict => None,
            Self::Learn(seed) => Some(seed),
        }
    }
}

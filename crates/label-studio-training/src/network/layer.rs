//! One layer of an encoder.

use super::{
    attention::{Attention, AttentionGradients, AttentionInput},
    disentangled::{Bias, BiasGradients},
    input::Packed,
    linear::{Linear, Norm},
    parameters::Layout,
    positions::{Places, Projected, Projections},
    scratch::{Scratch, resized},
};
use crate::{
    checkpoint::{Family, Sizes},
    numbers::{
        activation::Activation,
        dropout::{Dropout, mixed},
        layer_norm::Normalized,
        rows::add,
    },
};

/// Where the parameters of a layer are.
#[derive(Debug)]
pub(crate) struct Layer {
    qkv: Linear,
    /// How it sees the distances of tokens, if it does.
    projections: Option<Projections>,
    output: Linear,
    norm: Norm,
    up: Linear,
    down: Linear,
    last_norm: Norm,
}

/// What all layers of a pass have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerOptions {
    pub(crate) n_heads: usize,
    /// Terms of a score of the attention.
    pub(crate) n_terms: u8,
    pub(crate) activation: Activation,
    pub(crate) eps: f32,
    pub(crate) hidden_dropout: f32,
    /// `DistilBERT` has no dropout behind its attention.
    pub(crate) output_dropout: f32,
    pub(crate) attention_dropout: f32,
    pub(crate) seed: u32,
}

/// What a layer works with, beside its input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerPass<'a> {
    pub(crate) packed: &'a Packed,
    pub(crate) options: LayerOptions,
    /// The distances of tokens, if the model has embeddings of them.
    pub(crate) places: Option<&'a Places>,
    pub(crate) distances: LayerDistances<'a>,
}

/// Embeddings of distances.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LayerDistances<'a> {
    /// As they are; empty if the model has none.
    Embedded(&'a [f32]),
    /// Already projected for this layer, those of the whole table.
    Projected(&'a Projected),
}

/// The gradients that a layer passes on.
#[derive(Debug)]
pub(crate) struct LayerGradients<'a> {
    /// Gradient of the output, replaced by that of the input.
    pub(crate) rows: &'a mut [f32],
    /// Gradient of the embeddings of distances, to be added to.
    pub(crate) distances: &'a mut [f32],
    /// Gradients of the parameters, to be added to.
    pub(crate) parameters: &'a mut [f32],
    pub(crate) scratch: &'a mut Scratch,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct LayerMemory {
    pub(crate) input: Vec<f32>,
    projected: Projected,
    qkv: Vec<f32>,
    probabilities: Vec<f32>,
    context: Vec<f32>,
    normalized: Vec<f32>,
    inverse_deviations: Vec<f32>,
    middle: Vec<f32>,
    wide: Vec<f32>,
    activated: Vec<f32>,
    last_normalized: Vec<f32>,
    last_inverse_deviations: Vec<f32>,
}

impl Layer {
    /// Adds the parameters of layer `idx`.
    pub(crate) fn add(layout: &mut Layout, (sizes, prefix): (&Sizes, &str), idx: usize) -> Self {
        let (width, wide) = (sizes.hidden_size, sizes.intermediate_size);
        let names = match sizes.family {
            Family::DistilBert => [
                format!("{prefix}transformer.layer.{idx}."),
                "attention.q_lin".to_owned(),
                "attention.k_lin".to_owned(),
                "attention.v_lin".to_owned(),
                "attention.out_lin".to_owned(),
                "sa_layer_norm".to_owned(),
                "ffn.lin1".to_owned(),
                "ffn.lin2".to_owned(),
                "output_layer_norm".to_owned(),
            ],
            family => [
                format!("{prefix}encoder.layer.{idx}."),
                attention_name(family, "query"),
                attention_name(family, "key"),
                attention_name(family, "value"),
                "attention.output.dense".to_owned(),
                "attention.output.LayerNorm".to_owned(),
                "intermediate.dense".to_owned(),
                "output.dense".to_owned(),
                "output.LayerNorm".to_owned(),
            ],
        };
        let [layer, query, key, value, output, norm, up, down, last_norm] = names;
        let name = |part: String| format!("{layer}{part}");
        let qkv = [name(query), name(key), name(value)];
        let qkv = Linear::add_all(layout, qkv, (width, width));
        let attention = name("attention.self".to_owned());
        Self {
            projections: Projections::add(layout, sizes, (&attention, &qkv)),
            qkv,
            output: Linear::add(layout, &name(output), (width, width), false),
            norm: Norm::add(layout, &name(norm), width),
            up: Linear::add(layout, &name(up), (width, wide), false),
            down: Linear::add(layout, &name(down), (wide, width), false),
            last_norm: Norm::add(layout, &name(last_norm), width),
        }
    }

    /// Projects embeddings of distances, without dropout.
    pub(crate) fn project(&self, values: &[f32], rows: &[f32], projected: &mut Projected) {
        if let Some(projections) = &self.projections {
            projections.forward(values, (rows, Dropout::new(0.0, 0)), projected);
        }
    }

    /// Computes the output of `memory.input`.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        pass: LayerPass<'_>,
        memory: &mut LayerMemory,
        (out, scratch): (&mut Vec<f32>, &mut Scratch),
    ) {
        let LayerPass {
            packed, options, ..
        } = pass;
        let (n_rows, width) = (packed.n_tokens(), self.output.n_out);
        if let (Some(projections), LayerDistances::Embedded(rows)) =
            (&self.projections, pass.distances)
        {
            let rows = (rows, options.position_dropout());
            projections.forward(values, rows, &mut memory.projected);
        }
        let attention = options.attention(width);
        let qkv = resized(&mut memory.qkv, n_rows * self.qkv.n_out);
        self.qkv.forward(values, &memory.input, qkv);
        let n_probabilities = attention.n_probabilities(packed);
        let probabilities = resized(&mut memory.probabilities, n_probabilities);
        let context = resized(&mut memory.context, n_rows * width);
        let input = AttentionInput {
            packed,
            qkv,
            bias: pass.bias(&memory.projected, width),
        };
        attention.forward(input, probabilities, (context, &mut scratch.scores[0]));

        let rows = resized(&mut memory.normalized, n_rows * width);
        self.output.forward(values, context, rows);
        options.output_dropout().apply(rows);
        add(rows, &memory.input);
        let inverse_deviations = resized(&mut memory.inverse_deviations, n_rows);
        let middle = resized(&mut memory.middle, n_rows * width);
        let normalized = Normalized {
            rows,
            inverse_deviations,
        };
        self.norm
            .with(values, options.eps)
            .forward(normalized, middle);

        let wide = resized(&mut memory.wide, n_rows * self.up.n_out);
        self.up.forward(values, middle, wide);
        let activated = resized(&mut memory.activated, n_rows * self.up.n_out);
        options.activation.forward(wide, activated);
        let rows = resized(&mut memory.last_normalized, n_rows * width);
        self.down.forward(values, activated, rows);
        options.last_dropout().apply(rows);
        add(rows, middle);
        let inverse_deviations = resized(&mut memory.last_inverse_deviations, n_rows);
        let normalized = Normalized {
            rows,
            inverse_deviations,
        };
        let out = resized(out, n_rows * width);
        self.last_norm
            .with(values, options.eps)
            .forward(normalized, out);
    }

    /// Passes gradients back.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        pass: LayerPass<'_>,
        memory: &LayerMemory,
        layer_gradients: LayerGradients<'_>,
    ) {
        let LayerPass {
            packed, options, ..
        } = pass;
        let LayerGradients {
            rows,
            distances,
            parameters: gradients,
            scratch,
        } = layer_gradients;
        self.last_norm.with(values, options.eps).backward(
            &memory.last_normalized,
            &memory.last_inverse_deviations,
            self.last_norm.gradients(rows, gradients),
        );
        let branch = resized(&mut scratch.branch, rows.len());
        branch.copy_from_slice(rows);
        options.last_dropout().apply(branch);
        self.down.backward(&memory.activated, branch, gradients);
        let wide = resized(&mut scratch.wide, memory.wide.len());
        let down = self.down.outputs(branch).times(self.down.weights(values));
        down.write(wide);
        options.activation.backward(&memory.wide, wide);
        self.up.backward(&memory.middle, wide, gradients);
        self.up.add_input_gradient(values, wide, rows);

        self.norm.with(values, options.eps).backward(
            &memory.normalized,
            &memory.inverse_deviations,
            self.norm.gradients(rows, gradients),
        );
        branch.copy_from_slice(rows);
        options.output_dropout().apply(branch);
        self.output.backward(&memory.context, branch, gradients);
        let context = resized(&mut scratch.context, rows.len());
        let output = self
            .output
            .outputs(branch)
            .times(self.output.weights(values));
        output.write(context);
        let qkv = resized(&mut scratch.qkv, memory.qkv.len());
        let attention = options.attention(self.output.n_out);
        let [keys, queries] = &mut scratch.positions;
        for (gradient, projected) in [
            (&mut *keys, &memory.projected.keys),
            (&mut *queries, &memory.projected.queries),
        ] {
            resized(gradient, projected.len()).fill(0.0);
        }
        let attention_gradients = AttentionGradients {
            context,
            qkv: &mut *qkv,
            bias: BiasGradients {
                keys: &mut *keys,
                queries: &mut *queries,
            },
            scratch: &mut scratch.scores,
        };
        let input = AttentionInput {
            packed,
            qkv: &memory.qkv,
            bias: pass.bias(&memory.projected, self.output.n_out),
        };
        attention.backward(input, &memory.probabilities, attention_gradients);
        if let Some(projections) = &self.projections {
            projections.backward(
                values,
                (&memory.projected, options.position_dropout()),
                (keys, queries),
                (distances, &mut *gradients, &mut scratch.context),
            );
        }
        self.qkv.backward(&memory.input, qkv, gradients);
        self.qkv.add_input_gradient(values, qkv, rows);
    }
}

impl<'a> LayerPass<'a> {
    /// Returns what the distances of tokens add to the scores, if the model sees them.
    fn bias(&self, own: &'a Projected, width: usize) -> Option<Bias<'a>> {
        let places = self.places?;
        let (projected, start) = match self.distances {
            LayerDistances::Embedded(_) => (own, 0),
            LayerDistances::Projected(projected) => (projected, places.start(width)),
        };
        Some(Bias {
            places,
            keys: projected.keys.get(start..).unwrap_or_default(),
            queries: projected.queries.get(start..).unwrap_or_default(),
            width,
        })
    }
}

impl LayerOptions {
    /// Returns the dropout of the convolution behind the first layer.
    pub(crate) fn convolution_dropout(&self) -> Dropout {
        Dropout::new(self.hidden_dropout, mixed(8, self.seed))
    }

    /// Returns the options of another layer: its dropout has other masks.
    pub(crate) fn of_layer(self, idx: usize) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are at most 1024 layers"
        )]
        let seed = mixed(idx as u32 + 1, self.seed);
        Self { seed, ..self }
    }

    fn attention(&self, width: usize) -> Attention {
        Attention {
            n_heads: self.n_heads,
            head_width: width / self.n_heads,
            n_terms: self.n_terms,
            dropout: self.attention_dropout,
            seed: mixed(1, self.seed),
        }
    }

    fn position_dropout(&self) -> Dropout {
        Dropout::new(self.hidden_dropout, mixed(7, self.seed))
    }

    fn output_dropout(&self) -> Dropout {
        Dropout::new(self.output_dropout, mixed(2, self.seed))
    }

    fn last_dropout(&self) -> Dropout {
        Dropout::new(self.hidden_dropout, mixed(3, self.seed))
    }
}

/// Returns the name of a projection of the attention.
fn attention_name(family: Family, kind: &str) -> String {
    let suffix = if family == Family::DebertaV2 {
        "_proj"
    } else {
        ""
    };
    format!("attention.self.{kind}{suffix}")
}

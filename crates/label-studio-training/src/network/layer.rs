//! One layer of an encoder.

use super::{
    attention::{Attention, AttentionGradients},
    input::Packed,
    linear::{Linear, Norm},
    parameters::Layout,
    scratch::{Scratch, resized},
};
use crate::{
    checkpoint::{Family, ModelConfig},
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
    pub(crate) activation: Activation,
    pub(crate) eps: f32,
    pub(crate) hidden_dropout: f32,
    /// `DistilBERT` has no dropout behind its attention.
    pub(crate) output_dropout: f32,
    pub(crate) attention_dropout: f32,
    pub(crate) seed: u32,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct LayerMemory {
    pub(crate) input: Vec<f32>,
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
    pub(crate) fn add(layout: &mut Layout, config: &ModelConfig, idx: usize) -> Self {
        let (sizes, prefix) = (&config.sizes, config.prefix());
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
            _ => [
                format!("{prefix}encoder.layer.{idx}."),
                "attention.self.query".to_owned(),
                "attention.self.key".to_owned(),
                "attention.self.value".to_owned(),
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
        Self {
            qkv: Linear::add_all(layout, qkv, (width, width)),
            output: Linear::add(layout, &name(output), (width, width), false),
            norm: Norm::add(layout, &name(norm), width),
            up: Linear::add(layout, &name(up), (width, wide), false),
            down: Linear::add(layout, &name(down), (wide, width), false),
            last_norm: Norm::add(layout, &name(last_norm), width),
        }
    }

    /// Computes the output of `memory.input`.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (packed, options): (&Packed, LayerOptions),
        memory: &mut LayerMemory,
        (out, scratch): (&mut Vec<f32>, &mut Scratch),
    ) {
        let (n_rows, width) = (packed.n_tokens(), self.output.n_out);
        let attention = options.attention(width);
        let qkv = resized(&mut memory.qkv, n_rows * self.qkv.n_out);
        self.qkv.forward(values, &memory.input, qkv);
        let n_probabilities = attention.n_probabilities(packed);
        let probabilities = resized(&mut memory.probabilities, n_probabilities);
        let context = resized(&mut memory.context, n_rows * width);
        attention.forward(
            packed,
            qkv,
            probabilities,
            (context, &mut scratch.scores[0]),
        );

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

    /// Adds the gradients of the parameters, and replaces the gradient of the output, `rows`, by
    /// that of the input.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (packed, options): (&Packed, LayerOptions),
        memory: &LayerMemory,
        (rows, gradients, scratch): (&mut [f32], &mut [f32], &mut Scratch),
    ) {
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
        self.up
            .outputs(wide)
            .times(self.up.weights(values))
            .add_to(rows);

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
        let attention_gradients = AttentionGradients {
            context,
            qkv: &mut *qkv,
            scratch: &mut scratch.scores,
        };
        attention.backward(
            packed,
            &memory.qkv,
            &memory.probabilities,
            attention_gradients,
        );
        self.qkv.backward(&memory.input, qkv, gradients);
        self.qkv
            .outputs(qkv)
            .times(self.qkv.weights(values))
            .add_to(rows);
    }
}

impl LayerOptions {
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
            dropout: self.attention_dropout,
            seed: mixed(1, self.seed),
        }
    }

    fn output_dropout(&self) -> Dropout {
        Dropout::new(self.output_dropout, mixed(2, self.seed))
    }

    fn last_dropout(&self) -> Dropout {
        Dropout::new(self.hidden_dropout, mixed(3, self.seed))
    }
}

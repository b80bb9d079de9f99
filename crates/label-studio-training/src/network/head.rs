//! What turns the rows of an encoder into labels.

use super::{input::Packed, linear::Linear, parameters::Layout, scratch::resized};
use crate::{
    checkpoint::{Family, ModelConfig, Task},
    numbers::{
        activation::Activation,
        dropout::{Dropout, mixed},
    },
};

/// Where the parameters of a head are, and what it does.
#[derive(Debug)]
pub(crate) struct Head {
    task: Task,
    /// A layer before the last one, for whole texts.
    dense: Option<(Linear, Activation)>,
    out: Linear,
    input_dropout: f32,
    dropout: f32,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct HeadMemory {
    input: Vec<f32>,
    dense: Vec<f32>,
    activated: Vec<f32>,
    pub(crate) logits: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    scratch: Vec<f32>,
}

impl Head {
    /// Adds the parameters of a head with `n_labels` outputs.
    pub(crate) fn add(
        layout: &mut Layout,
        config: &ModelConfig,
        (task, n_labels): (Task, usize),
    ) -> Self {
        let sizes = &config.sizes;
        let width = sizes.hidden_size;
        let usual = sizes
            .classifier_dropout
            .unwrap_or(sizes.hidden_dropout_prob);
        let (dense, out, input_dropout, dropout) = match (task, sizes.family) {
            (Task::TokenClassification, Family::DistilBert | Family::DebertaV2) => {
                (None, "classifier", 0.0, sizes.hidden_dropout_prob)
            }
            (Task::TokenClassification, _) => (None, "classifier", 0.0, usual),
            (Task::SequenceClassification, Family::Bert) => {
                let dense = ("bert.pooler.dense", Activation::Tanh);
                (Some(dense), "classifier", 0.0, usual)
            }
            (Task::SequenceClassification, Family::DistilBert) => {
                let dense = ("pre_classifier", Activation::Relu);
                (Some(dense), "classifier", 0.0, sizes.seq_classif_dropout)
            }
            (Task::SequenceClassification, Family::Roberta) => {
                let dense = ("classifier.dense", Activation::Tanh);
                (Some(dense), "classifier.out_proj", usual, usual)
            }
            (Task::SequenceClassification, Family::Electra) => {
                let dense = ("classifier.dense", Activation::Gelu);
                (Some(dense), "classifier.out_proj", usual, usual)
            }
            (Task::SequenceClassification, Family::DebertaV2) => {
                let (activation, dropout) = match &sizes.deberta {
                    Some(deberta) => (deberta.pooler_hidden_act, deberta.pooler_dropout),
                    None => (Activation::Gelu, 0.0),
                };
                let dense = ("pooler.dense", activation);
                (Some(dense), "classifier", dropout, usual)
            }
        };
        Self {
            task,
            dense: dense.map(|(name, activation)| {
                (Linear::add(layout, name, (width, width), true), activation)
            }),
            out: Linear::add(layout, out, (width, n_labels), true),
            input_dropout,
            dropout,
        }
    }

    /// Returns how many outputs a row has.
    pub(crate) fn n_labels(&self) -> usize {
        self.out.n_out
    }

    /// Returns how many rows a text with so many tokens has.
    pub(crate) fn n_rows(&self, n_tokens: usize) -> usize {
        match self.task {
            Task::SequenceClassification => 1,
            Task::TokenClassification => n_tokens,
        }
    }

    /// Computes the logits of `rows`: one row per text, or one per token.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (packed, seed): (&Packed, Option<u32>),
        rows: &[f32],
        memory: &mut HeadMemory,
    ) {
        let width = self.out.n_in;
        memory.input.clear();
        match self.task {
            Task::TokenClassification => memory.input.extend_from_slice(rows),
            Task::SequenceClassification => {
                for (start, _) in packed.texts() {
                    memory
                        .input
                        .extend_from_slice(&rows[start * width..][..width]);
                }
            }
        }
        let n_rows = memory.input.len() / width;
        let (input_dropout, dropout) = self.dropouts(seed);
        let logits = resized(&mut memory.logits, n_rows * self.out.n_out);
        let Some((dense, activation)) = &self.dense else {
            dropout.apply(&mut memory.input);
            self.out.forward(values, &memory.input, logits);
            return;
        };
        input_dropout.apply(&mut memory.input);
        let hidden = resized(&mut memory.dense, n_rows * width);
        dense.forward(values, &memory.input, hidden);
        let activated = resized(&mut memory.activated, n_rows * width);
        activation.forward(hidden, activated);
        dropout.apply(activated);
        self.out.forward(values, activated, logits);
    }

    /// Adds the gradients of the parameters, given the gradient of the logits in `memory`, and
    /// writes the gradient of the encoder's rows to `rows`.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (packed, seed): (&Packed, Option<u32>),
        memory: &mut HeadMemory,
        (rows, gradients): (&mut [f32], &mut [f32]),
    ) {
        let width = self.out.n_in;
        let (input_dropout, dropout) = self.dropouts(seed);
        let last_input = if self.dense.is_some() {
            &memory.activated
        } else {
            &memory.input
        };
        self.out.backward(last_input, &memory.gradient, gradients);
        let output = self.out.outputs(&memory.gradient);
        let passed = resized(&mut memory.scratch, last_input.len());
        output.times(self.out.weights(values)).write(passed);
        dropout.apply(passed);
        let Some((dense, activation)) = &self.dense else {
            rows.copy_from_slice(passed);
            return;
        };
        activation.backward(&memory.dense, passed);
        dense.backward(&memory.input, passed, gradients);
        let mut first = vec![0.0; passed.len()];
        dense
            .outputs(passed)
            .times(dense.weights(values))
            .write(&mut first);
        input_dropout.apply(&mut first);
        rows.fill(0.0);
        for ((start, _), row) in packed.texts().zip(first.chunks_exact(width)) {
            rows[start * width..][..width].copy_from_slice(row);
        }
    }

    /// Returns the dropouts before the first and before the last layer; without a seed they do
    /// nothing.
    fn dropouts(&self, seed: Option<u32>) -> (Dropout, Dropout) {
        let dropout = |probability, number| match seed {
            Some(seed) => Dropout::new(probability, mixed(number, seed)),
            None => Dropout::new(0.0, 0),
        };
        (dropout(self.input_dropout, 5), dropout(self.dropout, 6))
    }
}

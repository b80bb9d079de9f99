//! Two linear layers with a rectifier between them.

use super::{linear::Linear, parameters::Layout, scratch::resized};
use crate::numbers::{activation::Activation, dropout::Dropout};

/// Where the parameters of two layers are.
#[derive(Debug)]
pub(crate) struct Mlp {
    pub(crate) first: Linear,
    pub(crate) last: Linear,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct MlpMemory {
    wide: Vec<f32>,
    activated: Vec<f32>,
    gradient: Vec<f32>,
}

impl Mlp {
    /// Adds the parameters of a `torch.nn.Sequential` of a layer, a rectifier, a dropout and a
    /// layer. The middle is four times as wide as the output.
    pub(crate) fn add(layout: &mut Layout, name: &str, (n_in, n_out): (usize, usize)) -> Self {
        let wide = 4 * n_out;
        Self {
            first: Linear::add(layout, &format!("{name}.0"), (n_in, wide), false),
            last: Linear::add(layout, &format!("{name}.3"), (wide, n_out), false),
        }
    }

    /// Writes the outputs of rows to `out`.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (rows, dropout): (&[f32], Dropout),
        memory: &mut MlpMemory,
        out: &mut Vec<f32>,
    ) {
        let n_rows = rows.len() / self.first.n_in;
        let wide = resized(&mut memory.wide, n_rows * self.first.n_out);
        self.first.forward(values, rows, wide);
        let activated = resized(&mut memory.activated, wide.len());
        Activation::Relu.forward(wide, activated);
        dropout.apply(activated);
        let out = resized(out, n_rows * self.last.n_out);
        self.last.forward(values, activated, out);
    }

    /// Adds the gradients of the parameters, given that of the output, and adds that of the input
    /// to `passed`.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (rows, dropout): (&[f32], Dropout),
        (memory, gradient): (&mut MlpMemory, &[f32]),
        (passed, gradients): (&mut [f32], &mut [f32]),
    ) {
        self.last.backward(&memory.activated, gradient, gradients);
        let wide = resized(&mut memory.gradient, memory.wide.len());
        self.last
            .outputs(gradient)
            .times(self.last.weights(values))
            .write(wide);
        dropout.apply(wide);
        Activation::Relu.backward(&memory.wide, wide);
        self.first.backward(rows, wide, gradients);
        self.first.add_input_gradient(values, wide, passed);
    }
}

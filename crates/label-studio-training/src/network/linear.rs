//! Linear layers and normalizations among the parameters.

use std::ops::Range;

use super::parameters::{Initial, Layout};
use crate::numbers::{
    layer_norm::{LayerNorm, NormGradients},
    matrix::Matrix,
    rows::{add_column_sums, add_row},
};

/// A linear layer: one row of weights per output, as in PyTorch. Its bias may be empty.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    pub(crate) n_in: usize,
    pub(crate) n_out: usize,
}

/// A layer normalization.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
}

impl Linear {
    pub(crate) fn add(
        layout: &mut Layout,
        name: &str,
        (n_in, n_out): (usize, usize),
        is_new: bool,
    ) -> Self {
        let initial = |initial| is_new.then_some(initial);
        Self {
            weight: layout.add(
                format!("{name}.weight"),
                &[n_out, n_in],
                initial(Initial::Normal),
            ),
            bias: layout.add(format!("{name}.bias"), &[n_out], initial(Initial::Zero)),
            n_in,
            n_out,
        }
    }

    /// Adds a layer without a bias.
    pub(crate) fn add_without_bias(
        layout: &mut Layout,
        name: &str,
        (n_in, n_out): (usize, usize),
    ) -> Self {
        let weight = layout.add(format!("{name}.weight"), &[n_out, n_in], None);
        Self {
            bias: weight.end..weight.end,
            weight,
            n_in,
            n_out,
        }
    }

    /// Returns the part of this layer that makes the outputs from `first` on.
    pub(crate) fn part(&self, first: usize, n_out: usize) -> Self {
        let weight = self.weight.start + first * self.n_in;
        let bias = self.bias.start + first;
        Self {
            weight: weight..weight + n_out * self.n_in,
            bias: bias..bias + n_out,
            n_in: self.n_in,
            n_out,
        }
    }

    /// Adds several layers with the same input, which become one.
    pub(crate) fn add_all(
        layout: &mut Layout,
        names: [String; 3],
        (n_in, n_out): (usize, usize),
    ) -> Self {
        let weights = names
            .each_ref()
            .map(|name| layout.add(format!("{name}.weight"), &[n_out, n_in], None));
        let biases = names.map(|name| layout.add(format!("{name}.bias"), &[n_out], None));
        Self {
            weight: weights[0].start..weights[2].end,
            bias: biases[0].start..biases[2].end,
            n_in,
            n_out: 3 * n_out,
        }
    }

    /// Writes the outputs of rows to `out`.
    pub(crate) fn forward(&self, values: &[f32], rows: &[f32], out: &mut [f32]) {
        let input = Matrix::new(rows, rows.len() / self.n_in, self.n_in);
        input.times(self.weights(values).transposed()).write(out);
        if !self.bias.is_empty() {
            add_row(out, &values[self.bias.clone()]);
        }
    }

    /// Adds the gradients of weight and bias.
    pub(crate) fn backward(&self, rows: &[f32], gradient: &[f32], gradients: &mut [f32]) {
        let n_rows = rows.len() / self.n_in;
        let (input, output) = (
            Matrix::new(rows, n_rows, self.n_in),
            Matrix::new(gradient, n_rows, self.n_out),
        );
        output
            .transposed()
            .times(input)
            .add_to(&mut gradients[self.weight.clone()]);
        if !self.bias.is_empty() {
            add_column_sums(gradient, &mut gradients[self.bias.clone()]);
        }
    }

    /// Passes gradients of the outputs on to the inputs: adds them to `out`.
    pub(crate) fn add_input_gradient(&self, values: &[f32], gradient: &[f32], out: &mut [f32]) {
        self.outputs(gradient)
            .times(self.weights(values))
            .add_to(out);
    }

    /// Returns the weights as a matrix of outputs by inputs.
    pub(crate) fn weights<'a>(&self, values: &'a [f32]) -> Matrix<'a> {
        Matrix::new(&values[self.weight.clone()], self.n_out, self.n_in)
    }

    /// Returns rows of gradients as a matrix of rows by outputs.
    pub(crate) fn outputs<'a>(&self, gradient: &'a [f32]) -> Matrix<'a> {
        Matrix::new(gradient, gradient.len() / self.n_out, self.n_out)
    }
}

impl Norm {
    pub(crate) fn add(layout: &mut Layout, name: &str, width: usize) -> Self {
        Self {
            weight: layout.add(format!("{name}.weight"), &[width], None),
            bias: layout.add(format!("{name}.bias"), &[width], None),
        }
    }

    pub(crate) fn with<'a>(&self, values: &'a [f32], eps: f32) -> LayerNorm<'a> {
        LayerNorm {
            weight: &values[self.weight.clone()],
            bias: &values[self.bias.clone()],
            eps,
        }
    }

    /// Returns where gradients go. The bias follows the weight.
    pub(crate) fn gradients<'a>(
        &self,
        rows: &'a mut [f32],
        gradients: &'a mut [f32],
    ) -> NormGradients<'a> {
        let both = &mut gradients[self.weight.start..self.bias.end];
        let (weight, bias) = both.split_at_mut(self.weight.len());
        NormGradients { rows, weight, bias }
    }
}

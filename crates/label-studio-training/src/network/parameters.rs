//! Where each tensor lies among the parameters.

use std::ops::Range;

/// A tensor among the parameters.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    /// Its name in the file.
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
    /// How it starts when the file does not have it; `None` when the file must have it.
    pub(crate) initial: Option<Initial>,
    /// Whether weight decay applies: not to biases and normalizations.
    pub(crate) decays: bool,
}

/// How a tensor starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Initial {
    /// Random numbers of the deviation that the config names.
    Normal,
    Zero,
}

/// Lays tensors one after the other.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) n_values: usize,
}

impl Layout {
    /// Adds a tensor.
    pub(crate) fn add(
        &mut self,
        name: String,
        shape: &[usize],
        initial: Option<Initial>,
    ) -> Range<usize> {
        let start = self.n_values;
        self.n_values += shape.iter().product::<usize>();
        let range = start..self.n_values;
        let is_norm = name.contains("LayerNorm") || name.contains("layer_norm");
        self.tensors.push(Tensor {
            decays: !(name.ends_with("bias") || is_norm),
            name,
            shape: shape.to_vec(),
            range: range.clone(),
            initial,
        });
        range
    }
}

/// The gradients of all parameters.
#[derive(Debug)]
pub(crate) struct Gradients {
    pub(crate) values: Vec<f32>,
    /// Which words have a gradient.
    pub(crate) touched: Vec<bool>,
}

impl Gradients {
    pub(crate) fn new(n_values: usize, n_words: usize) -> Self {
        Self {
            values: vec![0.0; n_values],
            touched: vec![false; n_words],
        }
    }
}

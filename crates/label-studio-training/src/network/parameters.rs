//! Where each tensor lies among the parameters.

use std::{ops::Range, path::Path};

use serde_json::Map;

use crate::{
    checkpoint::{CheckpointError, write_tensors},
    numbers::rows::sum_of_squares,
};

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
    pub(crate) part: Part,
}

/// Which part of a model a tensor belongs to: each may have its own learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Part {
    #[default]
    Encoder,
    Head,
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
    /// Part of the tensors that are added next.
    pub(crate) part: Part,
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
            decays: !(name.contains("bias") || is_norm),
            name,
            shape: shape.to_vec(),
            range: range.clone(),
            initial,
            part: self.part,
        });
        range
    }
}

/// All parameters of a model.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) values: Vec<f32>,
    /// Range of the words' embeddings, of which a batch needs a few only.
    pub(crate) words: Range<usize>,
    /// Width of a word's embedding.
    pub(crate) word_width: usize,
}

impl Parameters {
    /// Returns gradients of the right size, all 0.
    pub(crate) fn gradients(&self) -> Gradients {
        Gradients {
            values: vec![0.0; self.values.len()],
            touched: vec![false; self.n_words()],
        }
    }

    pub(crate) fn n_words(&self) -> usize {
        self.words.len() / self.word_width
    }

    /// Returns the norm of each tensor, by its name.
    pub(crate) fn norms(&self) -> impl Iterator<Item = (&str, f64)> {
        self.tensors.iter().map(|tensor| {
            let norm = sum_of_squares(&self.values[tensor.range.clone()]).sqrt();
            (tensor.name.as_str(), norm)
        })
    }

    /// Writes all tensors into one file.
    pub(crate) fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let tensors: Vec<_> = self
            .tensors
            .iter()
            .map(|tensor| {
                let values = &self.values[tensor.range.clone()];
                (tensor.name.as_str(), tensor.shape.as_slice(), values)
            })
            .collect();
        write_tensors(path, &tensors, &Map::new())
    }
}

/// The gradients of all parameters.
#[derive(Debug)]
pub(crate) struct Gradients {
    pub(crate) values: Vec<f32>,
    /// Which words have a gradient.
    pub(crate) touched: Vec<bool>,
}

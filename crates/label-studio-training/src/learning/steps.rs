//! Steps of an optimizer.

use super::{
    adamw::{AdamW, StepRates, gradient_norm},
    options::TrainingOptions,
};
use crate::{
    network::{Gradients, NetworkError, Parameters},
    numbers::dropout::mixed,
};

/// What the training of any model needs beside its parameters: gradients, moments, counters.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(crate) gradients: Gradients,
    pub(crate) optimizer: AdamW,
    pub(crate) options: TrainingOptions,
    pub(crate) n_batches: usize,
}

impl Steps {
    pub(crate) fn new(parameters: &Parameters, options: TrainingOptions) -> Self {
        Self {
            gradients: parameters.gradients(),
            optimizer: AdamW::new(parameters),
            options,
            n_batches: 0,
        }
    }

    /// Returns the seed of the next batch's dropout.
    pub(crate) fn next_seed(&mut self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "any number does as a seed")]
        let seed = mixed(self.n_batches as u32, self.options.seed as u32);
        self.n_batches += 1;
        seed
    }

    /// Changes the parameters by the gradients that were added, and returns the norm of those
    /// before they were clipped.
    pub(crate) fn step(
        &mut self,
        parameters: &mut Parameters,
        learning_rate: f64,
    ) -> Result<f64, NetworkError> {
        let norm = gradient_norm(parameters, &self.gradients);
        if !norm.is_finite() {
            return Err(NetworkError::Diverged(norm));
        }
        let options = &self.options;
        let limit = options.max_gradient_norm;
        let ratio = match options.head_learning_rate {
            Some(rate) if options.learning_rate > 0.0 => rate / options.learning_rate,
            _ => 1.0,
        };
        let rates = StepRates {
            learning_rate,
            head_learning_rate: learning_rate * ratio,
            weight_decay: options.weight_decay,
            weight_decay_kind: options.weight_decay_kind,
            betas: options.betas,
            eps: options.eps,
            // As torch.nn.utils.clip_grad_norm_ does.
            scale: if limit > 0.0 {
                (limit / (norm + 1e-6)).min(1.0)
            } else {
                1.0
            },
        };
        self.optimizer.step(parameters, &mut self.gradients, rates);
        Ok(norm)
    }

    /// Goes on after so many steps, when parameters and moments were read from a file.
    pub(crate) fn resume_at(
        &mut self,
        parameters: &Parameters,
        (n_steps, n_batches): (usize, usize),
    ) {
        self.optimizer.n_steps = n_steps;
        self.optimizer.find_seen(parameters);
        self.n_batches = n_batches;
    }
}

//! Steps of the optimizer.

use super::{
    adamw::{AdamW, StepRates, gradient_norm},
    loss::cross_entropy,
    options::TrainingOptions,
};
use crate::{
    network::{Gradients, Mode, Network, NetworkError, Tokens, Workspace},
    numbers::dropout::mixed,
};

/// A network with all that its training needs: gradients, moments and memory.
#[derive(Debug)]
pub struct Stepper {
    network: Network,
    gradients: Gradients,
    pub(crate) optimizer: AdamW,
    workspace: Workspace,
    options: TrainingOptions,
    n_batches: usize,
}

impl Stepper {
    /// Creates the first state of a training.
    pub fn new(network: Network, options: TrainingOptions) -> Self {
        Self {
            gradients: network.gradients(),
            optimizer: AdamW::new(&network),
            workspace: Workspace::default(),
            network,
            options,
            n_batches: 0,
        }
    }

    /// Returns the network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Ends the training.
    pub fn into_network(self) -> Network {
        self.network
    }

    /// Computes the logits of texts with the network as it is now.
    pub fn logits(&mut self, texts: &[Tokens<'_>]) -> Result<&[f32], NetworkError> {
        self.network.logits(texts, &mut self.workspace)
    }

    /// Adds the gradients of a batch, as one of `n_accumulated` of a step, and returns its loss.
    /// There is one label per row of the logits; a row without one does not count.
    pub fn add_batch(
        &mut self,
        texts: &[Tokens<'_>],
        labels: &[Option<usize>],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError> {
        #[expect(clippy::cast_possible_truncation, reason = "any number does as a seed")]
        let seed = mixed(self.n_batches as u32, self.options.seed as u32);
        self.n_batches += 1;
        let pass = self
            .network
            .forward(texts, Mode::Learn(seed), &mut self.workspace)?;
        let head = &mut self.workspace.head;
        let n_rows = head.logits.len() / self.network.n_labels();
        if n_rows != labels.len() {
            return Err(NetworkError::Labels {
                n_labels: labels.len(),
                n_rows,
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "a few batches at most")]
        let scale = 1.0 / n_accumulated.max(1) as f32;
        let loss = cross_entropy(&head.logits, labels, &mut head.gradient, scale);
        if !loss.is_finite() {
            return Err(NetworkError::Diverged(loss));
        }
        self.network
            .backward(&pass, &mut self.workspace, &mut self.gradients);
        Ok(loss)
    }

    /// Changes the parameters by the gradients that were added, and returns the norm of those
    /// before they were clipped.
    pub fn step(&mut self, learning_rate: f64) -> Result<f64, NetworkError> {
        let norm = gradient_norm(&self.network, &self.gradients);
        if !norm.is_finite() {
            return Err(NetworkError::Diverged(norm));
        }
        let limit = self.options.max_gradient_norm;
        let rates = StepRates {
            learning_rate,
            weight_decay: self.options.weight_decay,
            betas: self.options.betas,
            eps: self.options.eps,
            // As torch.nn.utils.clip_grad_norm_ does.
            scale: if limit > 0.0 {
                (limit / (norm + 1e-6)).min(1.0)
            } else {
                1.0
            },
        };
        self.optimizer
            .step(&mut self.network, &mut self.gradients, rates);
        Ok(norm)
    }

    pub(crate) fn options(&self) -> &TrainingOptions {
        &self.options
    }

    pub(crate) fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    pub(crate) fn n_batches(&self) -> usize {
        self.n_batches
    }

    /// Goes on after so many steps, when parameters and moments were read from a file.
    pub(crate) fn resume_at(&mut self, n_steps: usize, n_batches: usize) {
        self.optimizer.n_steps = n_steps;
        self.optimizer.find_seen(&self.network);
        self.n_batches = n_batches;
    }
}

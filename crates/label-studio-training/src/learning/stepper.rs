//! Steps of the optimizer.

use super::{
    loss::{EQUAL, cross_entropy},
    options::TrainingOptions,
    steps::Steps,
};
use crate::network::{Mode, Network, NetworkError, Parameters, Tokens, Workspace};

/// A network with all that its training needs: gradients, moments and memory.
#[derive(Debug)]
pub struct Stepper {
    network: Network,
    steps: Steps,
    workspace: Workspace,
}

impl Stepper {
    /// Creates the first state of a training.
    pub fn new(network: Network, options: TrainingOptions) -> Self {
        Self {
            steps: Steps::new(network.parameters(), options),
            workspace: Workspace::default(),
            network,
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
        let mode = Mode::Learn(self.steps.next_seed());
        let pass = self.network.forward(texts, mode, &mut self.workspace)?;
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
        let loss = cross_entropy(&head.logits, (labels, EQUAL), &mut head.gradient, scale);
        if !loss.is_finite() {
            return Err(NetworkError::Diverged(loss));
        }
        self.network
            .backward(&pass, &mut self.workspace, &mut self.steps.gradients);
        Ok(loss)
    }

    /// Changes the parameters by the gradients that were added, and returns the norm of those
    /// before they were clipped.
    pub fn step(&mut self, learning_rate: f64) -> Result<f64, NetworkError> {
        self.steps
            .step(self.network.parameters_mut(), learning_rate)
    }

    pub(crate) fn parts(&self) -> (&Parameters, &Steps) {
        (self.network.parameters(), &self.steps)
    }

    pub(crate) fn parts_mut(&mut self) -> (&mut Parameters, &mut Steps) {
        (self.network.parameters_mut(), &mut self.steps)
    }
}

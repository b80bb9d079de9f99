//! The epochs of a training, whatever learns.

use std::{hash::Hash, ops::ControlFlow, path::PathBuf, time::Instant};

use super::{
    epoch::Epoch,
    options::{Goal, TrainingOptions},
    order::shuffled,
    state::{Facts, StateFile},
    steps::Steps,
};
use crate::{
    checkpoint::CheckpointError,
    network::{NetworkError, Parameters},
};

/// What learns.
pub(crate) trait Learner {
    /// What it learns from.
    type Example: Hash;

    fn parts(&self) -> (&Parameters, &Steps);

    fn parts_mut(&mut self) -> (&mut Parameters, &mut Steps);

    /// Adds the gradients of a batch, as one of `n_accumulated` of a step, and returns its loss.
    fn add_examples(
        &mut self,
        batch: &[&Self::Example],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError>;

    /// Returns the loss and the score of held-out examples.
    fn loss_and_score(&mut self, examples: &[Self::Example]) -> Result<(f64, f64), NetworkError>;
}

/// What is learned, and from what.
#[derive(Debug)]
pub(crate) struct Course<E> {
    pub(crate) examples: Vec<E>,
    pub(crate) held_out: Vec<E>,
    /// Where its state is kept after each epoch, and a name that tells it from other trainings on
    /// the same examples.
    pub(crate) state: Option<(PathBuf, String)>,
}

/// How a course ended: the parameters are those of the best epoch.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) best: usize,
    pub(crate) was_resumed: bool,
}

/// How far a training is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    /// Steps that are done.
    pub step: usize,
    /// Steps of the whole training.
    pub n_steps: usize,
    /// Loss of the last step.
    pub loss: f64,
    /// The epoch that this step ended.
    pub epoch: Option<&'a Epoch>,
}

/// Why a training ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// There is nothing to learn from.
    #[error("there are no examples to learn from")]
    NoExamples,
    /// The observer ended it.
    #[error("the training was cancelled")]
    Cancelled,
    /// The network cannot take the examples.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Its state cannot be written or read.
    #[error(transparent)]
    State(#[from] CheckpointError),
}

impl<E: Hash> Course<E> {
    /// Trains. `observe` is called after every step, and ends the training by breaking.
    pub(crate) fn run(
        &self,
        learner: &mut impl Learner<Example = E>,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Ended, TrainingError> {
        if self.examples.is_empty() {
            return Err(TrainingError::NoExamples);
        }
        let options = learner.parts().1.options.clone();
        let state = self.state.as_ref().map(|(path, name)| {
            StateFile::new(path.clone(), name, learner.parts(), &self.examples)
        });
        let n_per_epoch = options.steps_per_epoch(self.examples.len());
        let n_steps = n_per_epoch * options.n_epochs;
        let (mut epochs, mut best, mut best_values) = (Vec::new(), 0, None);
        if let Some(state) = &state
            && let Some((facts, values)) = state.resume(learner.parts_mut())?
        {
            (epochs, best, best_values) = (facts.epochs, facts.best, Some(values));
        }
        let was_resumed = !epochs.is_empty();
        let mut kept_at: Option<Instant> = None;
        while epochs.len() < options.n_epochs && !is_out_of_patience(&options, &epochs, best) {
            let loss = self.run_epoch(learner, epochs.len(), &mut |step, loss| {
                let step = epochs.len() * n_per_epoch + step;
                // The last step of an epoch is told with the epoch.
                let is_last = step == (epochs.len() + 1) * n_per_epoch;
                let progress = Progress {
                    step,
                    n_steps,
                    loss,
                    epoch: None,
                };
                if is_last {
                    ControlFlow::Continue(())
                } else {
                    observe(progress)
                }
            })?;
            let mut epoch = Epoch {
                loss,
                held_out_loss: None,
                held_out_score: None,
            };
            if !self.held_out.is_empty() {
                let (loss, score) = learner.loss_and_score(&self.held_out)?;
                epoch.held_out_loss = Some(loss);
                epoch.held_out_score = Some(score);
            }
            epochs.push(epoch);
            let latest = epochs.len() - 1;
            if latest == 0 || is_better(&epochs[latest], &epochs[best]) {
                best = latest;
                best_values = Some(learner.parts().0.values.clone());
            }
            let step = epochs.len() * n_per_epoch;
            let epoch = epochs.last();
            if observe(Progress {
                step,
                n_steps,
                loss,
                epoch,
            })
            .is_break()
            {
                return Err(TrainingError::Cancelled);
            }
            if let Some(state) = &state
                && epochs.len() < options.n_epochs
                && kept_at.is_none_or(|at| at.elapsed() >= options.state_interval)
            {
                let (parameters, steps) = learner.parts();
                let values = best_values.as_deref().unwrap_or(&parameters.values);
                state.save(
                    (parameters, steps),
                    values,
                    Facts::new(&epochs, best, steps),
                )?;
                kept_at = Some(Instant::now());
            }
        }
        if let Some(values) = best_values {
            learner.parts_mut().0.values.copy_from_slice(&values);
        }
        if let Some(state) = state {
            state.remove();
        }
        Ok(Ended {
            epochs,
            best,
            was_resumed,
        })
    }

    /// Runs the steps of one epoch, and returns their mean loss.
    fn run_epoch(
        &self,
        learner: &mut impl Learner<Example = E>,
        epoch: usize,
        observe: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
    ) -> Result<f64, TrainingError> {
        let options = learner.parts().1.options.clone();
        let order = shuffled(self.examples.len(), options.seed, epoch);
        let (batch_size, n_accumulated) = (options.batch_size.max(1), options.n_accumulated.max(1));
        let n_per_epoch = options.steps_per_epoch(self.examples.len());
        let n_steps = n_per_epoch * options.n_epochs;
        let mut sum = 0.0;
        for (idx, group) in order.chunks(batch_size * n_accumulated).enumerate() {
            let batches = group.chunks(batch_size);
            let n_batches = batches.len();
            let mut loss = 0.0;
            for batch in batches {
                let examples: Vec<_> = batch.iter().map(|idx| &self.examples[*idx]).collect();
                #[expect(clippy::cast_precision_loss, reason = "a few batches")]
                let share = n_batches as f64;
                loss += learner.add_examples(&examples, n_batches)? / share;
            }
            let learning_rate = options.learning_rate_at(epoch * n_per_epoch + idx, n_steps);
            let (parameters, steps) = learner.parts_mut();
            steps.step(parameters, learning_rate)?;
            sum += loss;
            if observe(idx + 1, loss).is_break() {
                return Err(TrainingError::Cancelled);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer steps than 2^52")]
        let n = n_per_epoch as f64;
        Ok(sum / n)
    }
}

/// Returns whether the epochs since the best one are as many as a training waits for a better one.
fn is_out_of_patience(options: &TrainingOptions, epochs: &[Epoch], best: usize) -> bool {
    let Some(score) = epochs.get(best).and_then(|epoch| epoch.held_out_score) else {
        return false;
    };
    let n_waited = epochs.len() - 1 - best;
    let is_enough = |patience: usize| n_waited >= patience.max(1);
    let is_reached = |goal: Goal| score >= goal.score && n_waited >= goal.patience;
    options.patience.is_some_and(is_enough) || options.goal.is_some_and(is_reached)
}

/// A higher score is better, then a lower loss. Without held-out examples the latest epoch is.
fn is_better(latest: &Epoch, best: &Epoch) -> bool {
    let (Some(score), Some(best_score)) = (latest.held_out_score, best.held_out_score) else {
        return true;
    };
    let is_lower = latest.held_out_loss < best.held_out_loss;
    score > best_score || (score >= best_score && is_lower)
}

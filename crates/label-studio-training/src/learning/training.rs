//! A training from its first to its last epoch.

use std::{ops::ControlFlow, path::PathBuf};

use super::{
    Stepper, TrainingOptions,
    calibration::best_temperature,
    epoch::Epoch,
    example::Example,
    loss::negative_log_likelihood,
    order::shuffled,
    state::{Facts, StateFile},
};
use crate::{
    checkpoint::CheckpointError,
    network::{Network, NetworkError, Tokens},
};

/// Held-out rows from which probabilities are calibrated.
const MIN_CALIBRATION_ROWS: usize = 20;

/// Scores the labels predicted for examples, one list per example, from 0 to 1.
pub type Score = fn(&[Example], &[Vec<usize>], &[String]) -> f64;

/// A training that has not started.
#[derive(Debug)]
pub struct Training {
    /// What to learn from.
    pub examples: Vec<Example>,
    /// Examples to score each epoch with; the best epoch is kept. Without any, the last one is.
    pub held_out: Vec<Example>,
    /// How the labels of held-out examples are scored.
    pub score: Score,
    /// How it runs.
    pub options: TrainingOptions,
    /// Where its state is kept after each epoch, to go on from there after a crash, and a name
    /// that tells it from other trainings on the same examples.
    pub state: Option<(PathBuf, String)>,
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

/// What a training came to.
#[derive(Debug)]
pub struct Outcome {
    /// The network of the best epoch.
    pub network: Network,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// Which of them is the best, counted from 0.
    pub best: usize,
    /// What logits are divided by, so that probabilities are as high as they should be.
    pub temperature: f64,
    /// Whether it went on from a state on the disk.
    pub was_resumed: bool,
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

impl Training {
    /// Trains a network. `observe` is called after every step, and ends the training by breaking.
    pub fn run(
        self,
        network: Network,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, TrainingError> {
        if self.examples.is_empty() {
            return Err(TrainingError::NoExamples);
        }
        let mut stepper = Stepper::new(network, self.options.clone());
        let state = self
            .state
            .as_ref()
            .map(|(path, name)| StateFile::new(path.clone(), name, &stepper, &self.examples));
        let n_per_epoch = self.options.steps_per_epoch(self.examples.len());
        let n_steps = n_per_epoch * self.options.n_epochs;
        let (mut epochs, mut best, mut best_values) = (Vec::new(), 0, None);
        if let Some(state) = &state
            && let Some((facts, values)) = state.resume(&mut stepper)?
        {
            (epochs, best, best_values) = (facts.epochs, facts.best, Some(values));
        }
        let was_resumed = !epochs.is_empty();
        while epochs.len() < self.options.n_epochs && !self.is_out_of_patience(epochs.len(), best) {
            let loss = self.run_epoch(&mut stepper, epochs.len(), &mut |step, loss| {
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
                let held_out = self.evaluate(&mut stepper)?;
                epoch.held_out_loss = Some(held_out.loss(1.0));
                let labels = stepper.network().labels();
                epoch.held_out_score =
                    Some((self.score)(&self.held_out, &held_out.predicted, labels));
            }
            epochs.push(epoch);
            let latest = epochs.len() - 1;
            if latest == 0 || is_better(&epochs[latest], &epochs[best]) {
                best = latest;
                best_values = Some(stepper.network().values().to_vec());
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
                && epochs.len() < self.options.n_epochs
            {
                let values = best_values.as_deref().unwrap_or(stepper.network().values());
                state.save(&stepper, values, Facts::new(&epochs, best, &stepper))?;
            }
        }
        if let Some(values) = best_values {
            stepper.network_mut().values_mut().copy_from_slice(&values);
        }
        let mut temperature = 1.0;
        if !self.held_out.is_empty() {
            let held_out = self.evaluate(&mut stepper)?;
            if held_out.rows.len() >= MIN_CALIBRATION_ROWS {
                temperature = best_temperature(|temperature| held_out.loss(temperature));
            }
        }
        if let Some(state) = state {
            state.remove();
        }
        Ok(Outcome {
            network: stepper.into_network(),
            epochs,
            best,
            temperature,
            was_resumed,
        })
    }

    fn is_out_of_patience(&self, n_epochs: usize, best: usize) -> bool {
        let patience = self.options.patience.filter(|_| !self.held_out.is_empty());
        patience.is_some_and(|patience| n_epochs > 0 && n_epochs - 1 - best >= patience.max(1))
    }

    /// Runs the steps of one epoch, and returns their mean loss.
    fn run_epoch(
        &self,
        stepper: &mut Stepper,
        epoch: usize,
        observe: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
    ) -> Result<f64, TrainingError> {
        let options = &self.options;
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
                let (texts, labels) = batch_of(&examples);
                #[expect(clippy::cast_precision_loss, reason = "a few batches")]
                let share = n_batches as f64;
                loss += stepper.add_batch(&texts, &labels, n_batches)? / share;
            }
            stepper.step(options.learning_rate_at(epoch * n_per_epoch + idx, n_steps))?;
            sum += loss;
            if observe(idx + 1, loss).is_break() {
                return Err(TrainingError::Cancelled);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer steps than 2^52")]
        let n = n_per_epoch as f64;
        Ok(sum / n)
    }

    fn evaluate(&self, stepper: &mut Stepper) -> Result<HeldOut, TrainingError> {
        let mut held_out = HeldOut::default();
        let width = stepper.network().labels().len();
        for batch in self.held_out.chunks(self.options.batch_size.max(1)) {
            let (texts, labels) = batch_of(&batch.iter().collect::<Vec<_>>());
            let logits = stepper.logits(&texts)?;
            let mut rows = logits.chunks_exact(width);
            for example in batch {
                let own = rows.by_ref().take(example.labels.len());
                held_out.predicted.push(own.map(largest).collect());
            }
            let labelled = logits.chunks_exact(width).zip(labels);
            let labelled = labelled.filter_map(|(row, label)| Some((row.to_vec(), label?)));
            held_out.rows.extend(labelled);
        }
        Ok(held_out)
    }
}

/// What a network says of the held-out examples.
#[derive(Debug, Default)]
struct HeldOut {
    /// Logits and labels of all rows that have one.
    rows: Vec<(Vec<f32>, usize)>,
    predicted: Vec<Vec<usize>>,
}

impl HeldOut {
    /// Returns the mean loss if logits are divided by a temperature.
    fn loss(&self, temperature: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "logits have single precision"
        )]
        let factor = (1.0 / temperature) as f32;
        let losses = self.rows.iter().map(|(row, label)| {
            let row: Vec<f32> = row.iter().map(|logit| logit * factor).collect();
            negative_log_likelihood(&row, *label)
        });
        #[expect(clippy::cast_precision_loss, reason = "far fewer rows than 2^52")]
        let n = self.rows.len().max(1) as f64;
        losses.sum::<f64>() / n
    }
}

fn batch_of<'a>(examples: &[&'a Example]) -> (Vec<Tokens<'a>>, Vec<Option<usize>>) {
    let texts = examples.iter().map(|example| Tokens {
        ids: &example.ids,
        type_ids: &[],
    });
    let labels = examples.iter().flat_map(|example| &example.labels);
    (texts.collect(), labels.copied().collect())
}

fn largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (idx, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = idx;
        }
    }
    best
}

/// A higher score is better, then a lower loss. Without held-out examples the latest epoch is.
fn is_better(latest: &Epoch, best: &Epoch) -> bool {
    let (Some(score), Some(best_score)) = (latest.held_out_score, best.held_out_score) else {
        return true;
    };
    let is_lower = latest.held_out_loss < best.held_out_loss;
    score > best_score || (score >= best_score && is_lower)
}

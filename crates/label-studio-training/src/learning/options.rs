//! How a training runs.

use std::time::Duration;

/// How the learning rate changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Rises during the warm-up, then falls to 0 in a straight line.
    Linear,
    /// Rises during the warm-up, then stays.
    Constant,
}

/// How weight decay makes the parameters smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightDecay {
    /// Apart from the gradient (AdamW), all but biases and normalizations.
    Decoupled,
    /// As a part of the gradient, all parameters: the penalty of `torch.optim.Adam`.
    Penalty,
}

/// A held-out score that is good enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// The score.
    pub score: f64,
    /// Epochs without a better score after which a training that has reached it ends.
    pub patience: usize,
}

/// How a training runs. The defaults are those of `transformers`' `TrainingArguments`.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingOptions {
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Largest learning rate of what is not the encoder; `None` for the same.
    pub head_learning_rate: Option<f64>,
    /// Weight decay.
    pub weight_decay: f64,
    /// How it works.
    pub weight_decay_kind: WeightDecay,
    /// Epochs at most.
    pub n_epochs: usize,
    /// Examples whose gradients are computed at once.
    pub batch_size: usize,
    /// Batches whose gradients make one step.
    pub n_accumulated: usize,
    /// Share of the steps in which the learning rate rises.
    pub warmup_ratio: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Largest norm of all gradients together; 0 for no limit.
    pub max_gradient_norm: f64,
    /// Seed of the order of the examples and of dropout.
    pub seed: u64,
    /// Epochs without a better held-out score after which the training ends; `None` for never.
    pub patience: Option<usize>,
    /// Held-out score from which on the training may end early; `None` for never.
    pub goal: Option<Goal>,
    /// Decay rates of the two moments.
    pub betas: (f64, f64),
    /// Keeps the optimizer from dividing by 0.
    pub eps: f64,
    /// Least time between two states that are kept for a crash, for trainings with short epochs.
    pub state_interval: Duration,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Self {
            learning_rate: 5e-5,
            head_learning_rate: None,
            weight_decay: 0.0,
            weight_decay_kind: WeightDecay::Decoupled,
            n_epochs: 3,
            batch_size: 8,
            n_accumulated: 1,
            warmup_ratio: 0.0,
            schedule: Schedule::Linear,
            max_gradient_norm: 1.0,
            seed: 42,
            patience: None,
            goal: None,
            betas: (0.9, 0.999),
            eps: 1e-8,
            state_interval: Duration::ZERO,
        }
    }
}

impl TrainingOptions {
    /// Returns how many steps an epoch has.
    pub fn steps_per_epoch(&self, n_examples: usize) -> usize {
        let n_batches = n_examples.div_ceil(self.batch_size.max(1));
        n_batches.div_ceil(self.n_accumulated.max(1))
    }

    /// Returns the learning rate of a step, counted from 0, of `n_steps`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "far fewer steps than 2^52"
    )]
    pub fn learning_rate_at(&self, step: usize, n_steps: usize) -> f64 {
        let n_warmup = (n_steps as f64 * self.warmup_ratio.clamp(0.0, 1.0)).ceil() as usize;
        if step < n_warmup {
            return self.learning_rate * step as f64 / n_warmup as f64;
        }
        match self.schedule {
            Schedule::Constant => self.learning_rate,
            Schedule::Linear => {
                let left = n_steps.saturating_sub(step) as f64;
                self.learning_rate * left / (n_steps - n_warmup).max(1) as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TrainingOptions;

    #[test]
    fn the_learning_rate_rises_and_falls_in_straight_lines() {
        let options = TrainingOptions {
            learning_rate: 1.0,
            warmup_ratio: 0.2,
            ..TrainingOptions::default()
        };
        let rates: Vec<_> = (0..=10)
            .map(|step| options.learning_rate_at(step, 10))
            .collect();
        let expected = [
            0.0, 0.5, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0,
        ];
        assert_eq!(rates, expected);
        assert_eq!(options.steps_per_epoch(17), 3);
    }
}

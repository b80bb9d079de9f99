//! A training from its first to its last epoch.

use std::{ops::ControlFlow, path::PathBuf};

use super::{
    Stepper, TrainingOptions,
    calibration::best_temperature,
    course::{Course, Learner, Progress, TrainingError},
    epoch::Epoch,
    example::Example,
    loss::negative_log_likelihood,
    steps::Steps,
};
use crate::{
    network::{Network, NetworkError, Parameters, Tokens},
    numbers::rows::place_of_largest,
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

impl Training {
    /// Trains a network. `observe` is called after every step, and ends the training by breaking.
    pub fn run(
        self,
        network: Network,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, TrainingError> {
        let labels = network.labels().join("\n");
        let course = Course {
            examples: self.examples,
            held_out: self.held_out,
            state: self
                .state
                .map(|(path, name)| (path, format!("{name}\n{labels}"))),
        };
        let mut learner = NetworkLearner {
            stepper: Stepper::new(network, self.options),
            score: self.score,
        };
        let ended = course.run(&mut learner, observe)?;
        let mut temperature = 1.0;
        if !course.held_out.is_empty() {
            let held_out = learner.evaluate(&course.held_out)?;
            if held_out.rows.len() >= MIN_CALIBRATION_ROWS {
                temperature = best_temperature(|temperature| held_out.loss(temperature));
            }
        }
        Ok(Outcome {
            network: learner.stepper.into_network(),
            epochs: ended.epochs,
            best: ended.best,
            temperature,
            was_resumed: ended.was_resumed,
        })
    }
}

/// A network that learns to label texts or tokens.
#[derive(Debug)]
struct NetworkLearner {
    stepper: Stepper,
    score: Score,
}

impl NetworkLearner {
    fn evaluate(&mut self, examples: &[Example]) -> Result<HeldOut, NetworkError> {
        let mut held_out = HeldOut::default();
        let width = self.stepper.network().labels().len();
        let batch_size = self.stepper.parts().1.options.batch_size.max(1);
        for batch in examples.chunks(batch_size) {
            let (texts, labels) = batch_of(&batch.iter().collect::<Vec<_>>());
            let logits = self.stepper.logits(&texts)?;
            let mut rows = logits.chunks_exact(width);
            for example in batch {
                let own = rows.by_ref().take(example.labels.len());
                held_out.predicted.push(own.map(place_of_largest).collect());
            }
            let labelled = logits.chunks_exact(width).zip(labels);
            let labelled = labelled.filter_map(|(row, label)| Some((row.to_vec(), label?)));
            held_out.rows.extend(labelled);
        }
        Ok(held_out)
    }
}

impl Learner for NetworkLearner {
    type Example = Example;

    fn parts(&self) -> (&Parameters, &Steps) {
        self.stepper.parts()
    }

    fn parts_mut(&mut self) -> (&mut Parameters, &mut Steps) {
        self.stepper.parts_mut()
    }

    fn add_examples(
        &mut self,
        batch: &[&Example],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError> {
        let (texts, labels) = batch_of(batch);
        self.stepper.add_batch(&texts, &labels, n_accumulated)
    }

    fn loss_and_score(&mut self, examples: &[Example]) -> Result<(f64, f64), NetworkError> {
        let held_out = self.evaluate(examples)?;
        let labels = self.stepper.network().labels();
        let score = (self.score)(examples, &held_out.predicted, labels);
        Ok((held_out.loss(1.0), score))
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

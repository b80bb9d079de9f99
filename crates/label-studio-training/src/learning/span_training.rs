//! Trainings of models that score spans.

use std::{ops::ControlFlow, path::PathBuf};

use super::{
    TrainingOptions,
    course::{Course, Learner, Progress, TrainingError},
    epoch::Epoch,
    focal::FocalLoss,
    steps::Steps,
};
use crate::network::{Mode, NetworkError, Parameters, SpanNetwork, SpanText, SpanWorkspace, spans};

/// A text to learn spans from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SpanExample {
    /// Ids of the tokens, special ones and those of the labels included.
    pub ids: Vec<u32>,
    /// First token of each word; `None` for a word without tokens.
    pub words: Vec<Option<usize>>,
    /// Token of each label.
    pub labels: Vec<usize>,
    /// The spans to find; those that are wider than the model allows are not learned.
    pub targets: Vec<SpanTarget>,
}

/// A span to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanTarget {
    /// First word.
    pub start: usize,
    /// Last word.
    pub last: usize,
    /// Which of the example's labels it has.
    pub label: usize,
}

/// Scores the logits of examples, one list per example, from 0 to 1.
pub type SpanScore = fn(&SpanNetwork, &[SpanExample], &[Vec<f32>]) -> f64;

/// A network for spans with all that its training needs: gradients, moments and memory.
#[derive(Debug)]
pub struct SpanStepper {
    network: SpanNetwork,
    loss: FocalLoss,
    steps: Steps,
    workspace: SpanWorkspace,
}

/// A training that has not started.
#[derive(Debug)]
pub struct SpanTraining {
    /// What to learn from.
    pub examples: Vec<SpanExample>,
    /// Examples to score each epoch with; the best epoch is kept. Without any, the last one is.
    pub held_out: Vec<SpanExample>,
    /// How held-out examples are scored.
    pub score: SpanScore,
    /// What is made small.
    pub loss: FocalLoss,
    /// How it runs.
    pub options: TrainingOptions,
    /// Where its state is kept after each epoch, to go on from there after a crash, and a name
    /// that tells it from other trainings on the same examples.
    pub state: Option<(PathBuf, String)>,
}

/// What a training came to.
#[derive(Debug)]
pub struct SpanOutcome {
    /// The network of the best epoch.
    pub network: SpanNetwork,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// Which of them is the best, counted from 0.
    pub best: usize,
    /// Whether it went on from a state on the disk.
    pub was_resumed: bool,
}

impl SpanTraining {
    /// Trains a network. `observe` is called after every step, and ends the training by breaking.
    pub fn run(
        self,
        network: SpanNetwork,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<SpanOutcome, TrainingError> {
        let course = Course {
            examples: self.examples,
            held_out: self.held_out,
            state: self.state,
        };
        let mut learner = SpanLearner {
            stepper: SpanStepper::new(network, self.loss, self.options),
            score: self.score,
        };
        let ended = course.run(&mut learner, observe)?;
        Ok(SpanOutcome {
            network: learner.stepper.into_network(),
            epochs: ended.epochs,
            best: ended.best,
            was_resumed: ended.was_resumed,
        })
    }
}

impl SpanStepper {
    /// Creates the first state of a training.
    pub fn new(network: SpanNetwork, loss: FocalLoss, options: TrainingOptions) -> Self {
        Self {
            steps: Steps::new(network.parameters(), options),
            workspace: SpanWorkspace::default(),
            network,
            loss,
        }
    }

    /// Returns the network as it is now.
    pub fn network(&self) -> &SpanNetwork {
        &self.network
    }

    /// Ends the training.
    pub fn into_network(self) -> SpanNetwork {
        self.network
    }

    /// Adds the gradients of a batch, as one of `n_accumulated` of a step, and returns its loss:
    /// the sum over all spans and labels.
    pub fn add_batch(
        &mut self,
        examples: &[&SpanExample],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError> {
        let mode = Mode::Learn(self.steps.next_seed());
        let texts: Vec<_> = examples.iter().map(|example| example.text()).collect();
        let pass = self.network.forward(&texts, mode, &mut self.workspace)?;
        #[expect(clippy::cast_precision_loss, reason = "a few batches at most")]
        let scale = 1.0 / n_accumulated.max(1) as f64;
        let head = &mut self.workspace.head;
        let wanted = wanted(&self.network, examples);
        head.gradient.clear();
        let mut sum = 0.0;
        for (logit, is_wanted) in head.logits.iter().zip(&wanted) {
            let (loss, slope) = self.loss.of(*logit, *is_wanted);
            sum += loss;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "gradients have single precision"
            )]
            head.gradient.push((slope * scale) as f32);
        }
        if !sum.is_finite() {
            return Err(NetworkError::Diverged(sum));
        }
        self.network
            .backward(&pass, &mut self.workspace, &mut self.steps.gradients);
        Ok(sum)
    }

    /// Changes the parameters by the gradients that were added, and returns the norm of those
    /// before they were clipped.
    pub fn step(&mut self, learning_rate: f64) -> Result<f64, NetworkError> {
        self.steps
            .step(self.network.parameters_mut(), learning_rate)
    }

    /// Computes the logits of an example with the network as it is now.
    pub fn logits(&mut self, example: &SpanExample) -> Result<&[f32], NetworkError> {
        self.network.logits(&[example.text()], &mut self.workspace)
    }
}

impl SpanExample {
    fn text(&self) -> SpanText<'_> {
        SpanText {
            ids: &self.ids,
            words: &self.words,
            labels: &self.labels,
        }
    }
}

/// A network that learns to find spans.
#[derive(Debug)]
struct SpanLearner {
    stepper: SpanStepper,
    score: SpanScore,
}

impl Learner for SpanLearner {
    type Example = SpanExample;

    fn parts(&self) -> (&Parameters, &Steps) {
        (self.stepper.network.parameters(), &self.stepper.steps)
    }

    fn parts_mut(&mut self) -> (&mut Parameters, &mut Steps) {
        let stepper = &mut self.stepper;
        (stepper.network.parameters_mut(), &mut stepper.steps)
    }

    fn add_examples(
        &mut self,
        batch: &[&SpanExample],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError> {
        self.stepper.add_batch(batch, n_accumulated)
    }

    fn loss_and_score(&mut self, examples: &[SpanExample]) -> Result<(f64, f64), NetworkError> {
        let mut sum = 0.0;
        let mut logits = Vec::with_capacity(examples.len());
        for example in examples {
            let own = self.stepper.logits(example)?.to_vec();
            let wanted = wanted(&self.stepper.network, &[example]);
            let losses = own.iter().zip(&wanted);
            sum += losses
                .map(|(logit, is_wanted)| self.stepper.loss.of(*logit, *is_wanted).0)
                .sum::<f64>();
            logits.push(own);
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer texts than 2^52")]
        let mean = sum / examples.len().max(1) as f64;
        let score = (self.score)(&self.stepper.network, examples, &logits);
        Ok((mean, score))
    }
}

/// Returns for each logit whether its span has its label.
fn wanted(network: &SpanNetwork, examples: &[&SpanExample]) -> Vec<bool> {
    let max_width = network.config().max_width();
    let mut wanted = Vec::new();
    for example in examples {
        let mut targets = example.targets.clone();
        targets.sort_unstable();
        for (start, last) in spans(example.words.len(), max_width) {
            wanted.extend((0..example.labels.len()).map(|label| {
                let target = SpanTarget { start, last, label };
                targets.binary_search(&target).is_ok()
            }));
        }
    }
    wanted
}

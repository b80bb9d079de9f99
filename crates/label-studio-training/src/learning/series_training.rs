//! Trainings of networks that label the rows of series.

use std::{
    hash::{Hash, Hasher},
    ops::ControlFlow,
    path::PathBuf,
};

use super::{
    confusion::Confusion,
    course::{Course, Learner, Progress, TrainingError},
    epoch::Epoch,
    loss::{cross_entropy, negative_log_likelihood},
    options::TrainingOptions,
    steps::Steps,
};
use crate::{
    network::{Mode, NetworkError, Parameters, SeriesNetwork, SeriesRows, SeriesWorkspace},
    numbers::rows::place_of_largest,
};

/// Rows that are scored at once.
const MAX_SCORED_ROWS: usize = 4096;

/// A part of a series to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesExample {
    /// The values of all rows, one row behind the other.
    pub rows: Vec<f32>,
    /// The class of each row; a row without one does not count.
    pub classes: Vec<Option<u16>>,
}

/// Scores the predicted classes of examples, from 0.
pub type SeriesScore = Box<dyn Fn(&Confusion) -> f64 + Send>;

/// A network for series with all that its training needs: gradients, moments and memory.
#[derive(Debug)]
pub struct SeriesStepper {
    network: SeriesNetwork,
    /// How much a row counts, by its class.
    class_weights: Vec<f32>,
    steps: Steps,
    workspace: SeriesWorkspace,
}

/// A training that has not started.
pub struct SeriesTraining {
    /// What to learn from.
    pub examples: Vec<SeriesExample>,
    /// Examples to score each epoch with; the best epoch is kept. Without any, the last one is.
    pub held_out: Vec<SeriesExample>,
    /// How held-out examples are scored.
    pub score: SeriesScore,
    /// How much a row counts, by its class.
    pub class_weights: Vec<f32>,
    /// How it runs.
    pub options: TrainingOptions,
    /// Where its state is kept after each epoch, to go on from there after a crash, and a name
    /// that tells it from other trainings on the same examples.
    pub state: Option<(PathBuf, String)>,
}

/// What a training came to.
#[derive(Debug)]
pub struct SeriesOutcome {
    /// The network of the best epoch.
    pub network: SeriesNetwork,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// Which of them is the best, counted from 0.
    pub best: usize,
    /// The classes that it predicts for the held-out examples.
    pub held_out: Confusion,
    /// Whether it went on from a state on the disk.
    pub was_resumed: bool,
}

/// By the bits of the values: equal ones are the same example.
impl Hash for SeriesExample {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in &self.rows {
            value.to_bits().hash(state);
        }
        self.classes.hash(state);
    }
}

impl SeriesTraining {
    /// Trains a network. `observe` is called after every step, and ends the training by breaking.
    pub fn run(
        self,
        network: SeriesNetwork,
        observe: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<SeriesOutcome, TrainingError> {
        let weights = self.class_weights.iter().map(|weight| weight.to_bits());
        let weights: Vec<_> = weights.collect();
        let course = Course {
            examples: self.examples,
            held_out: self.held_out,
            state: self
                .state
                .map(|(path, name)| (path, format!("{name} {weights:?}"))),
        };
        let mut learner = SeriesLearner {
            stepper: SeriesStepper::new(network, self.class_weights, self.options),
            score: self.score,
        };
        let ended = course.run(&mut learner, observe)?;
        let (_, held_out) = learner.stepper.evaluate(&course.held_out)?;
        Ok(SeriesOutcome {
            network: learner.stepper.into_network(),
            epochs: ended.epochs,
            best: ended.best,
            held_out,
            was_resumed: ended.was_resumed,
        })
    }
}

impl SeriesStepper {
    /// Creates the first state of a training. Classes without a weight count for nothing.
    pub fn new(
        network: SeriesNetwork,
        mut class_weights: Vec<f32>,
        options: TrainingOptions,
    ) -> Self {
        class_weights.resize(network.sizes().n_classes, 0.0);
        Self {
            steps: Steps::new(network.parameters(), options),
            workspace: SeriesWorkspace::default(),
            network,
            class_weights,
        }
    }

    /// Returns the network as it is now.
    pub fn network(&self) -> &SeriesNetwork {
        &self.network
    }

    /// Ends the training.
    pub fn into_network(self) -> SeriesNetwork {
        self.network
    }

    /// Adds the gradients of a batch, as one of `n_accumulated` of a step, and returns its loss:
    /// the mean cross-entropy of the rows, each weighted by its class.
    pub fn add_batch(
        &mut self,
        examples: &[&SeriesExample],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError> {
        let mode = Mode::Learn(self.steps.next_seed());
        let batch = Batch::new(examples);
        self.network
            .forward(batch.rows(), mode, &mut self.workspace)?;
        self.check(&batch)?;
        #[expect(clippy::cast_precision_loss, reason = "a few batches at most")]
        let scale = 1.0 / n_accumulated.max(1) as f32;
        let SeriesWorkspace {
            logits, gradient, ..
        } = &mut self.workspace;
        let weight = |class: usize| self.class_weights[class];
        let loss = cross_entropy(logits, (&batch.classes, &weight), gradient, scale);
        if !loss.is_finite() {
            return Err(NetworkError::Diverged(loss));
        }
        let gradients = &mut self.steps.gradients;
        self.network
            .backward(batch.rows(), mode, &mut self.workspace, gradients);
        Ok(loss)
    }

    /// Changes the parameters by the gradients that were added, and returns the norm of those
    /// before they were clipped.
    pub fn step(&mut self, learning_rate: f64) -> Result<f64, NetworkError> {
        self.steps
            .step(self.network.parameters_mut(), learning_rate)
    }

    /// Returns the mean loss of examples, and the classes that are predicted for them.
    fn evaluate(&mut self, examples: &[SeriesExample]) -> Result<(f64, Confusion), NetworkError> {
        let n_classes = self.network.sizes().n_classes;
        let mut confusion = Confusion::new(n_classes);
        let (mut sum, mut sum_of_weights) = (0.0, 0.0);
        let longest = examples.iter().map(|example| example.classes.len()).max();
        let batch_size = (MAX_SCORED_ROWS / longest.unwrap_or(1).max(1)).max(1);
        for batch in examples.chunks(batch_size) {
            let batch = Batch::new(&batch.iter().collect::<Vec<_>>());
            self.network
                .forward(batch.rows(), Mode::Predict, &mut self.workspace)?;
            self.check(&batch)?;
            let rows = self.workspace.logits.chunks_exact(n_classes);
            for (row, class) in rows.zip(&batch.classes) {
                let Some(class) = *class else { continue };
                let weight = f64::from(self.class_weights[class]);
                sum += weight * negative_log_likelihood(row, class);
                sum_of_weights += weight;
                confusion.add(class, place_of_largest(row));
            }
        }
        let mean = if sum_of_weights > 0.0 {
            sum / sum_of_weights
        } else {
            0.0
        };
        Ok((mean, confusion))
    }

    /// Checks that there is one known class for each row.
    fn check(&self, batch: &Batch) -> Result<(), NetworkError> {
        let n_classes = self.network.sizes().n_classes;
        let n_rows = self.workspace.logits.len() / n_classes;
        let is_known = |class: &Option<usize>| class.is_none_or(|class| class < n_classes);
        if batch.classes.len() == n_rows && batch.classes.iter().all(is_known) {
            return Ok(());
        }
        Err(NetworkError::Labels {
            n_labels: batch.classes.len(),
            n_rows,
        })
    }
}

/// A network that learns to label rows.
struct SeriesLearner {
    stepper: SeriesStepper,
    score: SeriesScore,
}

impl Learner for SeriesLearner {
    type Example = SeriesExample;

    fn parts(&self) -> (&Parameters, &Steps) {
        (self.stepper.network.parameters(), &self.stepper.steps)
    }

    fn parts_mut(&mut self) -> (&mut Parameters, &mut Steps) {
        let stepper = &mut self.stepper;
        (stepper.network.parameters_mut(), &mut stepper.steps)
    }

    fn add_examples(
        &mut self,
        batch: &[&SeriesExample],
        n_accumulated: usize,
    ) -> Result<f64, NetworkError> {
        self.stepper.add_batch(batch, n_accumulated)
    }

    fn loss_and_score(&mut self, examples: &[SeriesExample]) -> Result<(f64, f64), NetworkError> {
        let (loss, confusion) = self.stepper.evaluate(examples)?;
        Ok((loss, (self.score)(&confusion)))
    }
}

/// Examples one behind the other.
#[derive(Debug)]
struct Batch {
    values: Vec<f32>,
    bounds: Vec<usize>,
    classes: Vec<Option<usize>>,
}

impl Batch {
    fn new(examples: &[&SeriesExample]) -> Self {
        let mut batch = Self {
            values: Vec::new(),
            bounds: vec![0],
            classes: Vec::new(),
        };
        for example in examples {
            batch.values.extend_from_slice(&example.rows);
            let classes = example.classes.iter();
            batch
                .classes
                .extend(classes.map(|class| class.map(usize::from)));
            batch.bounds.push(batch.classes.len());
        }
        batch
    }

    fn rows(&self) -> SeriesRows<'_> {
        SeriesRows {
            values: &self.values,
            bounds: &self.bounds,
        }
    }
}

//! A training on annotated series.

use std::{ops::Range, path::PathBuf, time::Duration};

use label_studio_ml::{
    JobContext, Value,
    anyhow::{self, bail},
    json,
};
use label_studio_training::{
    Goal, Observer, Schedule, TrainingError, TrainingOptions, WeightDecay,
    series::{
        Confusion, SeriesDropouts, SeriesExample, SeriesInference, SeriesNetwork, SeriesOutcome,
        SeriesSizes, SeriesTraining,
    },
};

use crate::{
    Options, Sample, Scaling, Segmenter,
    samples::split,
    tags::BACKGROUND,
    windows::{Padding, window_starts},
};

/// Seed of the network, the order of the windows, and dropout.
const SEED: u64 = 42;
const BATCH_SIZE: usize = 16;
const LEARNING_RATE: f64 = 1e-3;
const WEIGHT_DECAY: f64 = 1e-5;
const WIDTH: usize = 128;
const N_LAYERS: usize = 2;
const DROPOUT: f32 = 0.3;
/// Epochs without a better score after which a training ends.
const PATIENCE: usize = 100;
/// The same once both thresholds are reached.
const PATIENCE_AT_GOAL: usize = 10;
/// Most rows of the windows of a training.
const MAX_ROWS: usize = 2_000_000;
/// Epochs are short: each needs no state of its own on the disk.
const STATE_INTERVAL: Duration = Duration::from_secs(2);

/// What a training works with.
pub struct Lesson<'a> {
    /// Labels of the control, in the order of the classes from 1.
    pub labels: &'a [String],
    /// Columns of the channels.
    pub channels: &'a [String],
    /// The model's options.
    pub options: &'a Options,
    /// File of its state.
    pub state: Option<PathBuf>,
}

impl Lesson<'_> {
    /// Trains a network, and returns it with its metrics.
    ///
    /// # Errors
    /// When the job is cancelled, or the training diverges.
    pub fn learn(
        &self,
        samples: Vec<Sample>,
        job: &JobContext,
    ) -> anyhow::Result<(Segmenter, Value)> {
        let (learned, held_out) = split(samples);
        let n_channels = self.channels.len();
        let series: Vec<&[f32]> = learned.iter().map(|sample| &*sample.rows).collect();
        let scaling = Scaling::of(&series, n_channels);
        let examples = |samples: &[Sample]| windows(samples, &scaling, self.options.sequence_size);
        let (examples, held_out_examples) = (examples(&learned), examples(&held_out));
        let n_classes = self.labels.len() + 1;
        let class_weights = if self.options.use_class_weights {
            class_weights(&examples, n_classes)
        } else {
            vec![1.0; n_classes]
        };
        job.log(&format!(
            "training on {} windows of {} tasks, {} tasks held out, class weights {class_weights:.3?}",
            examples.len(),
            learned.len(),
            held_out.len()
        ));
        let training = SeriesTraining {
            // Without others, the windows that it learns from say when it is good enough.
            held_out: if held_out_examples.is_empty() {
                examples.clone()
            } else {
                held_out_examples
            },
            examples,
            score: self.score(),
            class_weights,
            options: self.training_options(),
            state: self.state.clone().map(|path| (path, self.name())),
        };
        let network = SeriesNetwork::new(self.sizes(), SEED)?;
        let observer = Observer {
            score: "share of the thresholds",
            is_cancelled: &|| job.is_cancelled(),
            progress: &|done, message| job.progress(done, message),
            log: &|line| job.log(line),
        };
        let outcome = match training.run(network, &mut |progress| observer.see(progress)) {
            Ok(outcome) => outcome,
            Err(TrainingError::Cancelled) => bail!("the training was cancelled"),
            Err(error) => return Err(error.into()),
        };
        let metrics = metrics(&outcome, (learned.len(), held_out.len()));
        let background = [BACKGROUND.to_owned()];
        let segmenter = Segmenter {
            inference: SeriesInference::new(outcome.network),
            labels: background.iter().chain(self.labels).cloned().collect(),
            channels: self.channels.to_vec(),
            scaling,
            window: self.options.sequence_size,
        };
        Ok((segmenter, metrics))
    }

    /// Returns the score of predicted classes: how much of both thresholds is reached, from 1 on
    /// both are.
    fn score(&self) -> Box<dyn Fn(&Confusion) -> f64 + Send> {
        let balanced_accuracy = self.options.balanced_accuracy_threshold;
        let min_f1 = self.options.min_class_f1_threshold;
        let share = |value: f64, threshold: f64| {
            if threshold > 0.0 {
                value / threshold
            } else {
                1.0 + value
            }
        };
        Box::new(move |confusion| {
            let scores = confusion.scores();
            share(scores.recall, balanced_accuracy).min(share(scores.min_f1, min_f1))
        })
    }

    fn training_options(&self) -> TrainingOptions {
        TrainingOptions {
            learning_rate: LEARNING_RATE,
            weight_decay: WEIGHT_DECAY,
            weight_decay_kind: WeightDecay::Penalty,
            n_epochs: self.options.train_epochs.get(),
            batch_size: BATCH_SIZE,
            schedule: Schedule::Constant,
            seed: SEED,
            patience: Some(PATIENCE),
            goal: Some(Goal {
                score: 1.0,
                patience: PATIENCE_AT_GOAL,
            }),
            state_interval: STATE_INTERVAL,
            ..TrainingOptions::default()
        }
    }

    fn sizes(&self) -> SeriesSizes {
        SeriesSizes {
            n_channels: self.channels.len(),
            n_classes: self.labels.len() + 1,
            width: WIDTH,
            n_hidden: self.options.hidden_size,
            n_layers: N_LAYERS,
            dropouts: SeriesDropouts {
                input: DROPOUT,
                recurrent: DROPOUT,
                output: DROPOUT,
            },
        }
    }

    /// Returns what tells this training from others on the same examples.
    fn name(&self) -> String {
        format!("{:?} {:?}", self.labels, self.channels)
    }
}

/// Returns how much a row of each class counts, so that all classes that occur count the same; 0 for
/// the others.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "weights have single precision"
)]
pub fn class_weights(examples: &[SeriesExample], n_classes: usize) -> Vec<f32> {
    let mut counts = vec![0_usize; n_classes];
    for class in examples
        .iter()
        .flat_map(|example| &example.classes)
        .flatten()
    {
        counts[usize::from(*class)] += 1;
    }
    let n_rows: usize = counts.iter().sum();
    let n_present = counts.iter().filter(|count| **count > 0).count();
    let weight = |count: &usize| match *count {
        0 => 0.0,
        count => (n_rows as f64 / (n_present as f64 * count as f64)) as f32,
    };
    counts.iter().map(weight).collect()
}

/// Cuts series into windows. Of too many, those without a label are left out first, evenly.
fn windows(samples: &[Sample], scaling: &Scaling, size: usize) -> Vec<SeriesExample> {
    let windows = samples.iter().flat_map(|sample| {
        let mut starts = window_starts(sample.classes.len(), size);
        if starts.is_empty() {
            starts.push(0);
        }
        starts.into_iter().map(move |start| (sample, start))
    });
    let (labelled, others): (Vec<_>, Vec<_>) = windows.partition(|(sample, start)| {
        let end = sample.classes.len().min(start + size);
        let mut classes = sample.classes[*start..end].iter();
        classes.any(|class| *class > Some(0))
    });
    let n_windows = (MAX_ROWS / size).max(BATCH_SIZE);
    let mut kept = evenly(labelled, n_windows);
    let n_left = n_windows - kept.len();
    kept.extend(evenly(others, n_left));
    let kept = kept.into_iter();
    kept.map(|(sample, start)| window(sample, scaling, start..start + size))
        .collect()
}

/// Returns the window of these rows; a series that is shorter is padded.
fn window(sample: &Sample, scaling: &Scaling, rows: Range<usize>) -> SeriesExample {
    let n_channels = scaling.n_channels();
    let n_rows = sample.classes.len();
    let row = |row: usize| scaling.apply(&sample.rows[row * n_channels..][..n_channels]);
    if n_rows < rows.end {
        let padding = Padding::new(n_rows, rows.len());
        let mut classes = vec![None; rows.len()];
        classes[padding.offset..][..n_rows].copy_from_slice(&sample.classes);
        return SeriesExample {
            rows: padding.rows.into_iter().flat_map(row).collect(),
            classes,
        };
    }
    SeriesExample {
        rows: rows.clone().flat_map(row).collect(),
        classes: sample.classes[rows].to_vec(),
    }
}

/// Keeps so many items, evenly distributed.
fn evenly<T>(items: Vec<T>, n: usize) -> Vec<T> {
    let n_items = items.len().max(1);
    let is_kept = |idx: usize| (idx + 1) * n / n_items > idx * n / n_items;
    if n >= n_items {
        return items;
    }
    let items = items.into_iter().enumerate();
    items
        .filter_map(|(idx, item)| is_kept(idx).then_some(item))
        .collect()
}

fn metrics(outcome: &SeriesOutcome, (n_learned, n_held_out): (usize, usize)) -> Value {
    let scores = outcome.held_out.scores();
    json!({
        "precision": scores.precision,
        "recall": scores.recall,
        "f1_score": scores.f1,
        "balanced_accuracy": scores.recall,
        "per_class_f1": scores.f1_per_class,
        "min_class_f1": scores.min_f1,
        "loss": outcome.epochs[outcome.best].loss,
        "epoch": outcome.epochs.len(),
        "best_epoch": outcome.best + 1,
        "trained_tasks": n_learned,
        "held_out_tasks": n_held_out,
    })
}

#[cfg(test)]
mod tests {
    use super::evenly;

    #[test]
    fn what_is_kept_is_spread_evenly() {
        assert_eq!(evenly((0..10).collect(), 5), [1, 3, 5, 7, 9]);
        assert_eq!(evenly((0..10).collect(), 3).len(), 3);
        assert_eq!(evenly((0..3).collect(), 5), [0, 1, 2]);
        assert_eq!(evenly(Vec::<u8>::new(), 5), Vec::<u8>::new());
        assert_eq!(evenly((0..3).collect(), 0), Vec::<u8>::new());
    }
}

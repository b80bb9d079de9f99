//! A training on samples.

use std::{collections::BTreeSet, path::PathBuf};

use label_studio_ml::{
    JobContext, Value,
    anyhow::{self, bail},
    json,
};
use label_studio_text::spans::{Part, TokenLabel, spans, tags};
use label_studio_training::{
    Checkpoint, Example, Network, Observer, Outcome, Task, Training, TrainingError,
    TrainingOptions, held_out_texts, share,
};

use crate::{Options, Sample, tagger::WindowTokenizer};

/// Seed of the new head, the order of the texts, and dropout.
const SEED: u64 = 42;
const BATCH_SIZE: usize = 8;
const OUTSIDE: &str = "O";

/// What a training works with.
pub(crate) struct Lesson<'a> {
    pub(crate) baseline: &'a Checkpoint,
    pub(crate) samples: &'a [Sample],
    pub(crate) options: &'a Options,
    /// File of its state.
    pub(crate) state: PathBuf,
}

/// A network that was trained, and how good it is.
pub(crate) struct Trained {
    pub(crate) network: Network,
    pub(crate) metrics: Value,
}

/// A window of a text whose tokens have names of labels.
struct TaggedWindow {
    ids: Vec<u32>,
    labels: Vec<Option<String>>,
}

impl Lesson<'_> {
    /// Trains a network.
    pub(crate) fn learn(&self, job: &JobContext) -> anyhow::Result<Trained> {
        let task = Task::TokenClassification;
        // The labels are known when the texts have become tokens, for which a network is needed.
        let placeholder = [OUTSIDE.to_owned()];
        let probe = Network::load_with_labels(self.baseline, task, &placeholder, SEED)?;
        let tokenizer = WindowTokenizer::new(&probe, self.baseline)?;
        drop(probe);
        let windows = tagged_windows(&tokenizer, self.samples)?;
        let labels = labels_of(windows.iter().flatten());
        let network = Network::load_with_labels(self.baseline, task, &labels, SEED)?;

        let keys: Vec<_> = self
            .samples
            .iter()
            .map(|sample| (sample.text.as_str(), 0))
            .collect();
        let held_out_texts = held_out_texts(&keys);
        let (mut examples, mut held_out) = (Vec::new(), Vec::new());
        for (sample, windows) in self.samples.iter().zip(windows) {
            let own = windows.into_iter().map(|window| window.example(&labels));
            if held_out_texts.contains(sample.text.as_str()) {
                held_out.extend(own);
            } else {
                examples.extend(own);
            }
        }
        let n_held_out = held_out_texts.len();
        let n_learned = self.samples.len() - n_held_out;
        job.log(&format!(
            "training on {n_learned} texts, {n_held_out} held out"
        ));
        let training = Training {
            examples,
            held_out,
            score: f1_of_entities,
            options: TrainingOptions {
                learning_rate: self.options.learning_rate,
                weight_decay: self.options.weight_decay,
                n_epochs: self.options.num_train_epochs.get(),
                batch_size: BATCH_SIZE,
                seed: SEED,
                ..TrainingOptions::default()
            },
            state: Some((self.state.clone(), self.options.baseline_model_name.clone())),
        };
        let observer = Observer {
            score: "held-out F1",
            is_cancelled: &|| job.is_cancelled(),
            progress: &|done, message| job.progress(done, message),
            log: &|line| job.log(line),
        };
        let outcome = training.run(network, &mut |progress| observer.see(progress));
        match outcome {
            Ok(outcome) => Ok(trained(outcome, &labels, (n_learned, n_held_out))),
            Err(TrainingError::Cancelled) => bail!("the training was cancelled"),
            Err(error) => Err(error.into()),
        }
    }
}

fn trained(
    outcome: Outcome,
    labels: &[String],
    (n_learned, n_held_out): (usize, usize),
) -> Trained {
    let best = &outcome.epochs[outcome.best];
    let metrics = json!({
        "trained_texts": n_learned,
        "held_out_texts": n_held_out,
        "labels": labels,
        "held_out_f1": best.held_out_score,
        "held_out_loss": best.held_out_loss,
        "train_loss": best.loss,
        "best_epoch": outcome.best + 1,
        "epochs": outcome.epochs.len(),
    });
    Trained {
        network: outcome.network,
        metrics,
    }
}

impl TaggedWindow {
    fn example(self, labels: &[String]) -> Example {
        let number =
            |name: Option<String>| labels.iter().position(|label| Some(label) == name.as_ref());
        Example {
            ids: self.ids,
            labels: self.labels.into_iter().map(number).collect(),
        }
    }
}

/// Turns samples into windows of tokens with labels. Each sub-word has one, so that predictions
/// need no rule for them.
fn tagged_windows(
    tokenizer: &WindowTokenizer,
    samples: &[Sample],
) -> anyhow::Result<Vec<Vec<TaggedWindow>>> {
    let encodings = tokenizer.encode(samples.iter().map(|sample| sample.text.as_str()))?;
    let windows = encodings.iter().zip(samples).map(|(encoding, sample)| {
        let entities = sample.entities.iter();
        let parts: Vec<_> = entities
            .map(|entity| Part {
                label: &entity.label,
                start: entity.start,
                end: entity.end,
            })
            .collect();
        let all = std::iter::once(encoding).chain(encoding.get_overflowing());
        let window = |window: &label_studio_text::tokens::Encoding| TaggedWindow {
            ids: window.get_ids().to_vec(),
            labels: tags(&parts, window.get_offsets())
                .into_iter()
                .map(|tag| tag.map(label_studio_text::spans::Tag::name))
                .collect(),
        };
        all.map(window).collect()
    });
    Ok(windows.collect())
}

/// Returns the labels: `O`, then the others in the order of their first appearance.
fn labels_of<'a>(windows: impl Iterator<Item = &'a TaggedWindow>) -> Vec<String> {
    let mut labels = vec![OUTSIDE.to_owned()];
    for name in windows.flat_map(|window| window.labels.iter().flatten()) {
        if !labels.contains(name) {
            labels.push(name.clone());
        }
    }
    labels
}

/// Returns the F1 of whole entities: of all texts together, found at the same tokens with the same
/// label.
fn f1_of_entities(examples: &[Example], predicted: &[Vec<usize>], labels: &[String]) -> f64 {
    let (mut n_right, mut n_found, mut n_annotated) = (0, 0, 0);
    for (example, predicted) in examples.iter().zip(predicted) {
        // A token without a label, such as a special one, has none predicted either.
        let known = example.labels.iter().zip(predicted);
        let found = known.map(|(known, predicted)| known.map(|_| *predicted));
        let found = entities(found, labels);
        let annotated = entities(example.labels.iter().copied(), labels);
        n_right += found.intersection(&annotated).count();
        n_found += found.len();
        n_annotated += annotated.len();
    }
    if n_found + n_annotated == 0 {
        return 1.0;
    }
    share(2 * n_right, n_found + n_annotated)
}

fn entities(
    numbers: impl Iterator<Item = Option<usize>>,
    labels: &[String],
) -> BTreeSet<(usize, usize, &str)> {
    let tokens: Vec<_> = numbers
        .enumerate()
        .map(|(idx, number)| TokenLabel {
            label: number.map_or(OUTSIDE, |number| labels[number].as_str()),
            score: 1.0,
            // Apart from each other, so that `B-` always starts a new one.
            start: 2 * idx,
            end: 2 * idx + 1,
        })
        .collect();
    let spans = spans(&tokens).into_iter();
    spans
        .map(|span| (span.start, span.end, span.label))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Example, f1_of_entities};

    #[test]
    fn f1_counts_whole_entities() {
        let labels = ["O", "B-A", "I-A"].map(str::to_owned);
        let example = Example {
            ids: vec![0; 6],
            labels: vec![None, Some(1), Some(2), Some(0), Some(1), None],
        };
        let f1 = |predicted: [usize; 6]| {
            f1_of_entities(
                std::slice::from_ref(&example),
                &[predicted.to_vec()],
                &labels,
            )
        };
        let close = |f1: f64, expected: f64| assert!((f1 - expected).abs() < 1e-12, "{f1}");
        close(f1([1, 1, 2, 0, 1, 1]), 1.0);
        close(f1([0, 1, 0, 0, 1, 0]), 0.5);
        close(f1([0, 0, 0, 0, 1, 0]), 2.0 / 3.0);
        close(f1([0; 6]), 0.0);
    }
}

//! A training on samples.

use std::{collections::BTreeSet, path::PathBuf};

use label_studio_ml::{
    JobContext, Value,
    anyhow::{self, bail, ensure},
    json,
};
use label_studio_text::spans::{Word, words};
use label_studio_training::{
    FocalLoss, Observer, SpanCheckpoint, SpanExample, SpanNetwork, SpanOutcome, SpanTarget,
    SpanTraining, TrainingError, TrainingOptions, share,
};

use crate::{
    Controls, Decoding, Options, Sample,
    decode::Scored,
    finder::{first_chars, prompter},
    prompt::{Prompter, Window},
    samples::word_span,
};

/// Seed of the order of the texts, that of the labels, and dropout.
const SEED: u64 = 42;
const WARMUP_RATIO: f64 = 0.1;
/// Texts that are held out at most, as in the original.
const MAX_HELD_OUT: usize = 10;
/// One text in so many is held out.
const HELD_OUT_ONE_IN: usize = 5;
const LOSS: FocalLoss = FocalLoss {
    alpha: Some(0.75),
    gamma: 2.0,
};
/// How held-out texts are scored.
const DECODING: Decoding = Decoding {
    threshold: 0.5,
    flat_ner: true,
    multi_label: false,
};

/// What a training works with.
pub(crate) struct Lesson<'a> {
    pub(crate) baseline: &'a SpanCheckpoint,
    pub(crate) controls: &'a Controls<'a>,
    pub(crate) samples: &'a [Sample],
    pub(crate) options: &'a Options,
    /// File of its state.
    pub(crate) state: PathBuf,
}

/// A network that was trained, and how good it is.
pub(crate) struct Trained {
    pub(crate) network: SpanNetwork,
    pub(crate) metrics: Value,
}

impl Lesson<'_> {
    /// Trains a network.
    pub(crate) fn learn(&self, job: &JobContext) -> anyhow::Result<Trained> {
        let network = SpanNetwork::load(self.baseline)?;
        let prompter = prompter(&network, self.baseline)?;
        let held_out_texts = held_out_texts(self.samples);
        let (mut examples, mut held_out) = (Vec::new(), Vec::new());
        for (idx, sample) in self.samples.iter().enumerate() {
            let own = self.examples(&prompter, sample, idx, network.config().max_labels())?;
            if held_out_texts.contains(sample.text.as_str()) {
                held_out.extend(own);
            } else {
                examples.extend(own);
            }
        }
        ensure!(
            examples.iter().any(|example| !example.targets.is_empty()),
            "no marked part fits the model, which takes spans of at most {} words",
            network.config().max_width()
        );
        let n_held_out = held_out_texts.len();
        let texts: BTreeSet<_> = self.samples.iter().map(|sample| &sample.text).collect();
        let n_learned = texts.len() - n_held_out;
        job.log(&format!(
            "training on {n_learned} texts, {n_held_out} held out"
        ));
        let n_steps = self.options.num_train_steps.get();
        let training = SpanTraining {
            options: TrainingOptions {
                learning_rate: self.options.learning_rate,
                head_learning_rate: Some(self.options.others_learning_rate),
                weight_decay: self.options.weight_decay,
                n_epochs: (n_steps / examples.len()).max(1),
                batch_size: 1,
                warmup_ratio: WARMUP_RATIO,
                seed: SEED,
                ..TrainingOptions::default()
            },
            examples,
            held_out,
            score: f1_of_spans,
            loss: LOSS,
            state: Some((self.state.clone(), self.options.gliner_model_name.clone())),
        };
        let observer = Observer {
            score: "held-out F1",
            is_cancelled: &|| job.is_cancelled(),
            progress: &|done, message| job.progress(done, message),
            log: &|line| job.log(line),
        };
        let outcome = training.run(network, &mut |progress| observer.see(progress));
        match outcome {
            Ok(outcome) => Ok(trained(outcome, (n_learned, n_held_out))),
            Err(TrainingError::Cancelled) => bail!("the training was cancelled"),
            Err(error) => Err(error.into()),
        }
    }

    /// Turns a sample into examples, one per window of its text.
    fn examples(
        &self,
        prompter: &Prompter,
        sample: &Sample,
        idx: usize,
        max_labels: usize,
    ) -> anyhow::Result<Vec<SpanExample>> {
        let text = first_chars(&sample.text);
        let words = match &sample.tokens {
            Some(tokens) => joined_words(tokens),
            None => words(text),
        };
        let names = self.controls.asked[sample.control].names();
        let shown = shown_labels(sample, names.len(), (idx, max_labels));
        let labels: Vec<_> = shown.iter().map(|label| names[*label]).collect();
        let spans: Vec<(usize, usize, usize)> = sample
            .marked
            .iter()
            .filter_map(|marked| {
                let label = shown.iter().position(|label| *label == marked.label)?;
                let places = words.iter().map(|word| (word.start, word.end));
                let (start, last) = word_span(places, (marked.start, marked.end))?;
                Some((start, last, label))
            })
            .collect();
        let texts: Vec<_> = words.iter().map(|word| word.text).collect();
        let windows = prompter.windows(&labels, &texts)?;
        let example = |window: Window| {
            let (first, n_words) = (window.first_word, window.words.len());
            let inside = spans.iter().filter(|(start, last, _)| {
                let is_narrow = last - start < prompter.max_width;
                is_narrow && *start >= first && *last < first + n_words
            });
            let targets = inside.map(|(start, last, label)| SpanTarget {
                start: start - first,
                last: last - first,
                label: *label,
            });
            SpanExample {
                targets: targets.collect(),
                ids: window.ids,
                words: window.words,
                labels: window.labels,
            }
        };
        Ok(windows.into_iter().map(example).collect())
    }
}

/// Returns the labels that are shown with a sample: its own and as many others as there is room
/// for, in an order that changes from one sample to the next, so that it teaches nothing.
fn shown_labels(sample: &Sample, n_labels: usize, (idx, max_labels): (usize, usize)) -> Vec<usize> {
    let own: BTreeSet<usize> = sample.marked.iter().map(|marked| marked.label).collect();
    let turned = |label: usize| (label + idx) % n_labels.max(1);
    let others = (0..n_labels)
        .map(turned)
        .filter(|label| !own.contains(label));
    let mut shown: Vec<_> = own.iter().copied().chain(others).take(max_labels).collect();
    shown.sort_by_key(|label| label_key(*label, idx));
    shown
}

/// A number that puts labels into an order of its own for each sample.
fn label_key(label: usize, idx: usize) -> u64 {
    let mixed = (label as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (idx as u64 + 1);
    mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31)
}

/// Returns the words of a text that are joined by single spaces.
fn joined_words(tokens: &[String]) -> Vec<Word<'_>> {
    let mut start = 0;
    let word = |text: &'_ String| {
        let end = start + text.chars().count();
        let bounds = (start, end);
        start = end + 1;
        bounds
    };
    let bounds: Vec<_> = tokens.iter().map(word).collect();
    let words = tokens.iter().zip(bounds);
    words
        .map(|(text, (start, end))| Word { text, start, end })
        .collect()
}

/// Chooses the first texts to be held out: a fifth of them, and ten at most.
fn held_out_texts(samples: &[Sample]) -> BTreeSet<&str> {
    let mut texts: Vec<&str> = Vec::new();
    let mut seen = BTreeSet::new();
    for sample in samples {
        if seen.insert(sample.text.as_str()) {
            texts.push(&sample.text);
        }
    }
    let n_held_out = (texts.len() / HELD_OUT_ONE_IN).min(MAX_HELD_OUT);
    texts.into_iter().take(n_held_out).collect()
}

fn trained(outcome: SpanOutcome, (n_learned, n_held_out): (usize, usize)) -> Trained {
    let best = &outcome.epochs[outcome.best];
    let metrics = json!({
        "trained_texts": n_learned,
        "held_out_texts": n_held_out,
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

/// Returns the F1 of whole spans: of all texts together, the same words with the same label.
fn f1_of_spans(network: &SpanNetwork, examples: &[SpanExample], logits: &[Vec<f32>]) -> f64 {
    let max_width = network.config().max_width();
    let (mut n_right, mut n_found, mut n_marked) = (0, 0, 0);
    for (example, logits) in examples.iter().zip(logits) {
        let window = Scored {
            first_word: 0,
            n_words: example.words.len(),
            logits,
        };
        let kept = DECODING.keep([window], (max_width, example.labels.len()));
        let is_right = |target: &SpanTarget| example.targets.contains(target);
        n_right += kept
            .iter()
            .filter(|span| {
                is_right(&SpanTarget {
                    start: span.start,
                    last: span.last,
                    label: span.label,
                })
            })
            .count();
        n_found += kept.len();
        n_marked += example.targets.len();
    }
    if n_found + n_marked == 0 {
        return 1.0;
    }
    share(2 * n_right, n_found + n_marked)
}

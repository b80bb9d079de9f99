//! A training on samples.

use std::path::PathBuf;

use label_studio_ml::{
    JobContext, Value,
    anyhow::{self, bail},
    json,
};
use label_studio_text::tokens::Tokenizer;
use label_studio_training::{
    Checkpoint, Example, Network, Observer, Outcome, Task, Training, TrainingError,
    TrainingOptions, held_out_texts, share,
};

use crate::{
    Options, Sample,
    classifier::{TEMPERATURE, tokenizer},
};

/// Seed of the new head, the order of the texts, and dropout.
const SEED: u64 = 42;
const BATCH_SIZE: usize = 8;

/// What a training works with.
pub(crate) struct Lesson<'a> {
    pub(crate) baseline: &'a Checkpoint,
    pub(crate) labels: &'a [String],
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

impl Lesson<'_> {
    /// Trains a network.
    pub(crate) fn learn(&self, job: &JobContext) -> anyhow::Result<Trained> {
        let task = Task::SequenceClassification;
        let network = Network::load_with_labels(self.baseline, task, self.labels, SEED)?;
        let tokenizer = tokenizer(&network, self.baseline)?;
        let pairs: Vec<_> = self
            .samples
            .iter()
            .map(|sample| (sample.text.as_str(), sample.label))
            .collect();
        let held_out_texts = held_out_texts(&pairs);
        let (held_out, learned): (Vec<_>, Vec<_>) = self
            .samples
            .iter()
            .partition(|sample| held_out_texts.contains(sample.text.as_str()));
        let training = Training {
            examples: examples(&tokenizer, &learned)?,
            held_out: examples(&tokenizer, &held_out)?,
            score: accuracy,
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
        let (n_learned, n_held_out) = (training.examples.len(), training.held_out.len());
        job.log(&format!(
            "training on {n_learned} texts, {n_held_out} held out"
        ));
        let observer = Observer {
            score: "held-out accuracy",
            is_cancelled: &|| job.is_cancelled(),
            progress: &|done, message| job.progress(done, message),
            log: &|line| job.log(line),
        };
        let outcome = training.run(network, &mut |progress| observer.see(progress));
        match outcome {
            Ok(outcome) => Ok(self.trained(outcome, n_learned, n_held_out)),
            Err(TrainingError::Cancelled) => bail!("the training was cancelled"),
            Err(error) => Err(error.into()),
        }
    }

    fn trained(&self, outcome: Outcome, n_learned: usize, n_held_out: usize) -> Trained {
        let best = &outcome.epochs[outcome.best];
        let metrics = json!({
            "trained_texts": n_learned,
            "held_out_texts": n_held_out,
            "labels": self.labels,
            "held_out_accuracy": best.held_out_score,
            "held_out_loss": best.held_out_loss,
            "train_loss": best.loss,
            "best_epoch": outcome.best + 1,
            "epochs": outcome.epochs.len(),
            "temperature": outcome.temperature,
        });
        let temperature = json!(outcome.temperature);
        let network = outcome
            .network
            .with_config(|config| config.with_field(TEMPERATURE, temperature));
        Trained { network, metrics }
    }
}

fn examples(tokenizer: &Tokenizer, samples: &[&Sample]) -> anyhow::Result<Vec<Example>> {
    let texts = samples.iter().map(|sample| sample.text.as_str());
    let encodings = tokenizer.encode_batch(texts)?;
    let pairs = encodings.iter().zip(samples);
    let examples = pairs.map(|(encoding, sample)| Example {
        ids: encoding.get_ids().to_vec(),
        labels: vec![Some(sample.label)],
    });
    Ok(examples.collect())
}

/// Returns the share of examples whose label was predicted.
fn accuracy(examples: &[Example], predicted: &[Vec<usize>], _labels: &[String]) -> f64 {
    let pairs = examples.iter().zip(predicted);
    let n_right = pairs
        .filter(|(example, predicted)| example.labels.first() == Some(&predicted.first().copied()))
        .count();
    share(n_right, examples.len())
}

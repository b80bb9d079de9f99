//! An encoder with its tokenizer.

use std::path::Path;

use label_studio_ml::{Value, anyhow};
use label_studio_text::tokens::{Encoding, Tokenizer};
use label_studio_training::{Checkpoint, Inference, Network, Task, Tokens};

/// Field of `config.json`: what logits are divided by, so that probabilities are as high as they
/// should be.
pub(crate) const TEMPERATURE: &str = "calibration_temperature";
/// Characters per token of which a text is read: what is beyond is cut away in any case, and would
/// take time.
const MAX_CHARS_PER_TOKEN: usize = 256;

/// A text classifier.
#[derive(Debug)]
pub struct Classifier {
    tokenizer: Tokenizer,
    inference: Inference,
    temperature: f32,
    is_multi_label: bool,
    max_chars: usize,
}

/// What a classifier thinks of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The most probable label.
    pub label: String,
    /// Its probability.
    pub score: f64,
}

impl Classifier {
    /// Reads a trained classifier from a folder.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let checkpoint = Checkpoint::in_folder(folder)?;
        let network = Network::load(&checkpoint, Task::SequenceClassification)?;
        Self::new(network, &checkpoint)
    }

    /// Puts a network and its tokenizer together.
    pub fn new(network: Network, checkpoint: &Checkpoint) -> anyhow::Result<Self> {
        let config = network.config();
        let temperature = config.field(TEMPERATURE).and_then(Value::as_f64);
        let temperature = temperature.filter(|value| (0.01..=100.0).contains(value));
        let is_multi_label = config.is_multi_label() || network.labels().len() == 1;
        let max_tokens = max_tokens(&network, checkpoint);
        Ok(Self {
            tokenizer: tokenizer(&network, checkpoint)?,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "logits have single precision"
            )]
            temperature: temperature.unwrap_or(1.0) as f32,
            is_multi_label,
            max_chars: max_tokens.saturating_mul(MAX_CHARS_PER_TOKEN),
            inference: Inference::new(network),
        })
    }

    /// Returns the labels that it can answer.
    pub fn labels(&self) -> &[String] {
        self.inference.network().labels()
    }

    /// Finds the most probable of the labels that `is_wanted` accepts, for each text; `None` where
    /// it accepts none. A text that is too long is cut.
    pub fn classify(
        &self,
        texts: &[String],
        is_wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<Option<Guess>>> {
        let texts = texts.iter().map(|text| first_chars(text, self.max_chars));
        let encodings = self.tokenizer.encode_batch(texts)?;
        let tokens: Vec<_> = encodings.iter().map(tokens_of).collect();
        let logits = self.inference.logits(&tokens)?;
        let wanted: Vec<_> = self.labels().iter().map(|label| is_wanted(label)).collect();
        Ok(logits.iter().map(|row| self.guess(row, &wanted)).collect())
    }

    fn guess(&self, logits: &[f32], wanted: &[bool]) -> Option<Guess> {
        let rows = logits.iter().zip(wanted).enumerate();
        let wanted: Vec<(usize, f64)> = rows
            .filter(|(_, (_, is_wanted))| **is_wanted)
            .map(|(idx, (logit, _))| (idx, f64::from(logit / self.temperature)))
            .collect();
        let (best, largest) = *wanted
            .iter()
            .reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        let score = if self.is_multi_label {
            1.0 / (1.0 + (-largest).exp())
        } else {
            1.0 / wanted
                .iter()
                .map(|(_, logit)| (logit - largest).exp())
                .sum::<f64>()
        };
        Some(Guess {
            label: self.labels()[best].clone(),
            score,
        })
    }
}

/// Reads the tokenizer of a network, which cuts texts that are too long.
pub(crate) fn tokenizer(network: &Network, checkpoint: &Checkpoint) -> anyhow::Result<Tokenizer> {
    let tokenizer = Tokenizer::from_file(&checkpoint.tokenizer)?;
    Ok(tokenizer.with_max_tokens(max_tokens(network, checkpoint))?)
}

/// Returns an encoding as a network takes it.
pub(crate) fn tokens_of(encoding: &Encoding) -> Tokens<'_> {
    Tokens {
        ids: encoding.get_ids(),
        type_ids: encoding.get_type_ids(),
    }
}

/// Returns the start of a text that a network with so many tokens can read.
pub(crate) fn first_chars(text: &str, n_chars: usize) -> &str {
    match text.char_indices().nth(n_chars) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

fn max_tokens(network: &Network, checkpoint: &Checkpoint) -> usize {
    let of_tokenizer = checkpoint.max_tokens().unwrap_or(usize::MAX);
    network.max_tokens().min(of_tokenizer)
}

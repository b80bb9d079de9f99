//! An encoder with its tokenizer.

use std::path::Path;

use label_studio_ml::anyhow;
use label_studio_text::{
    spans::{TokenLabel, Windows, spans},
    tokens::{Encoding, Tokenizer},
};
use label_studio_training::{Checkpoint, Inference, Network, Task, Tokens};

/// Characters of a text that are read: more would take minutes.
const MAX_CHARS: usize = 200_000;
/// One token in so many is in two windows.
const SHARED_ONE_IN: usize = 4;

/// Finds entities in texts.
#[derive(Debug)]
pub struct Tagger {
    tokenizer: WindowTokenizer,
    inference: Inference,
}

/// An entity that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its label, without `B-` or `I-`.
    pub label: String,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
    /// Mean probability of its tokens.
    pub score: f64,
}

/// A tokenizer that cuts long texts into windows.
#[derive(Debug)]
pub(crate) struct WindowTokenizer {
    tokenizer: Tokenizer,
    n_shared: usize,
}

impl Tagger {
    /// Reads a trained tagger from a folder.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        Self::load(&Checkpoint::in_folder(folder)?)
    }

    /// Reads a tagger.
    pub fn load(checkpoint: &Checkpoint) -> anyhow::Result<Self> {
        let network = Network::load(checkpoint, Task::TokenClassification)?;
        Self::new(network, checkpoint)
    }

    /// Puts a network and its tokenizer together.
    pub fn new(network: Network, checkpoint: &Checkpoint) -> anyhow::Result<Self> {
        Ok(Self {
            tokenizer: WindowTokenizer::new(&network, checkpoint)?,
            inference: Inference::new(network),
        })
    }

    /// Finds the entities of texts, in the order of each text. Offsets count characters.
    pub fn find(&self, texts: &[String]) -> anyhow::Result<Vec<Vec<Found>>> {
        let encodings = self.tokenizer.encode(texts.iter().map(String::as_str))?;
        let n_shared = self.tokenizer.n_shared;
        let windows: Vec<Windows<'_>> = encodings
            .iter()
            .map(|encoding| Windows::new(encoding, n_shared))
            .collect();
        let tokens: Vec<_> = windows
            .iter()
            .flat_map(Windows::iter)
            .map(tokens_of)
            .collect();
        let mut logits = self.inference.logits(&tokens)?.into_iter();
        let entities = windows.iter().map(|windows| {
            let mut labelled = Vec::new();
            for (window, used) in windows.iter().zip(windows.used()) {
                let rows = logits.next().unwrap_or_default();
                labelled.extend(self.labels_of(window, &rows, &used));
            }
            let spans = spans(&labelled).into_iter();
            spans
                .map(|span| Found {
                    label: span.label.to_owned(),
                    start: span.start,
                    end: span.end,
                    score: span.score,
                })
                .collect()
        });
        Ok(entities.collect())
    }

    /// Returns the most probable label of each used token.
    fn labels_of(&self, window: &Encoding, logits: &[f32], used: &[usize]) -> Vec<TokenLabel<'_>> {
        let labels = self.inference.network().labels();
        let (width, offsets) = (labels.len(), window.get_offsets());
        let label = |token: &usize| {
            let row = &logits[token * width..][..width];
            let mut best = 0;
            for (idx, logit) in row.iter().enumerate() {
                if *logit > row[best] {
                    best = idx;
                }
            }
            let sum: f64 = row
                .iter()
                .map(|logit| f64::from(logit - row[best]).exp())
                .sum();
            let (start, end) = offsets[*token];
            TokenLabel {
                label: &labels[best],
                score: 1.0 / sum,
                start,
                end,
            }
        };
        used.iter().map(label).collect()
    }
}

impl WindowTokenizer {
    /// Reads the tokenizer of a network.
    pub(crate) fn new(network: &Network, checkpoint: &Checkpoint) -> anyhow::Result<Self> {
        let of_tokenizer = checkpoint.max_tokens().unwrap_or(usize::MAX);
        let max_tokens = network.max_tokens().min(of_tokenizer);
        let n_shared = max_tokens / SHARED_ONE_IN;
        let tokenizer = Tokenizer::from_file(&checkpoint.tokenizer)?;
        Ok(Self {
            tokenizer: tokenizer.with_windows(max_tokens, n_shared)?,
            n_shared,
        })
    }

    /// Turns texts into tokens, in windows.
    pub(crate) fn encode<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
    ) -> anyhow::Result<Vec<Encoding>> {
        let texts = texts.map(|text| match text.char_indices().nth(MAX_CHARS) {
            None => text,
            Some((end, _)) => {
                tracing::warn!("a text is read up to its character {MAX_CHARS} only");
                &text[..end]
            }
        });
        Ok(self.tokenizer.encode_batch(texts)?)
    }
}

fn tokens_of(encoding: &Encoding) -> Tokens<'_> {
    Tokens {
        ids: encoding.get_ids(),
        type_ids: encoding.get_type_ids(),
    }
}

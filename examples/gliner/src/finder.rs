//! A model with its tokenizer.

use std::path::Path;

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::anyhow;
use label_studio_text::spans::{Word, words};
use label_studio_training::{
    SpanCheckpoint, SpanConfig, SpanInference, SpanNetwork, SpanText, SpanWeights,
};

use crate::{
    Decoding,
    decode::Scored,
    onnx::OnnxSpans,
    prompt::{Prompter, Window},
};

/// Characters of a text that are read: more would take minutes.
const MAX_CHARS: usize = 200_000;

/// Finds what labels name in texts.
#[derive(Debug)]
pub struct Finder {
    prompter: Prompter,
    engine: Engine,
}

/// A part of a text that a label names.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Number of the label.
    pub label: usize,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
    /// The part.
    pub text: String,
    /// Probability.
    pub score: f64,
}

#[derive(Debug)]
enum Engine {
    Network(Box<SpanInference>),
    Onnx(OnnxSpans),
}

impl Finder {
    /// Reads a model from a folder.
    pub fn read(folder: &Path, onnx: &OnnxArgs) -> anyhow::Result<Self> {
        Self::load(&SpanCheckpoint::in_folder(folder)?, onnx)
    }

    /// Reads a model. ONNX Runtime is looked for if the model is an export to ONNX.
    pub fn load(checkpoint: &SpanCheckpoint, onnx: &OnnxArgs) -> anyhow::Result<Self> {
        match &checkpoint.weights {
            SpanWeights::Safetensors(_) => Self::new(SpanNetwork::load(checkpoint)?, checkpoint),
            SpanWeights::Onnx(path) => {
                let config = SpanConfig::read(&checkpoint.config)?;
                let engine = OnnxSpans::load(&Runtime::new(onnx)?, path, config.max_width())?;
                let max_tokens = checkpoint.max_tokens().unwrap_or(usize::MAX);
                Ok(Self {
                    prompter: Prompter::new(&config, &checkpoint.tokenizer, max_tokens)?,
                    engine: Engine::Onnx(engine),
                })
            }
        }
    }

    /// Puts a network and its tokenizer together.
    pub fn new(network: SpanNetwork, checkpoint: &SpanCheckpoint) -> anyhow::Result<Self> {
        Ok(Self {
            prompter: prompter(&network, checkpoint)?,
            engine: Engine::Network(Box::new(SpanInference::new(network))),
        })
    }

    /// Finds what the labels name in each text, in the order of the text. Offsets count characters.
    /// The order of the labels has an influence on the probabilities.
    pub fn find(
        &self,
        texts: &[String],
        labels: &[&str],
        decoding: &Decoding,
    ) -> anyhow::Result<Vec<Vec<Found>>> {
        let texts: Vec<&str> = texts.iter().map(|text| first_chars(text)).collect();
        if labels.is_empty() {
            return Ok(vec![Vec::new(); texts.len()]);
        }
        let words: Vec<Vec<Word<'_>>> = texts.iter().map(|text| words(text)).collect();
        let windows = words
            .iter()
            .map(|words| {
                let words: Vec<_> = words.iter().map(|word| word.text).collect();
                self.prompter.windows(labels, &words)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let all: Vec<&Window> = windows.iter().flatten().collect();
        let logits = self.logits(&all)?;
        let mut logits = logits.iter();
        let sizes = (self.prompter.max_width, labels.len());
        let found = windows.iter().zip(words).map(|(windows, words)| {
            let scored = windows
                .iter()
                .zip(logits.by_ref())
                .map(|(window, logits)| Scored {
                    first_word: window.first_word,
                    n_words: window.words.len(),
                    logits,
                });
            let kept = decoding.keep(scored, sizes);
            let found = kept.iter().map(|span| Found {
                label: span.label,
                start: words[span.start].start,
                end: words[span.last].end,
                text: String::new(),
                score: span.score,
            });
            found.collect::<Vec<_>>()
        });
        let mut found: Vec<_> = found.collect();
        for (found, text) in found.iter_mut().zip(texts) {
            add_texts(found, text);
        }
        Ok(found)
    }

    fn logits(&self, windows: &[&Window]) -> anyhow::Result<Vec<Vec<f32>>> {
        match &self.engine {
            Engine::Network(inference) => {
                let texts: Vec<SpanText<'_>> = windows.iter().map(|window| window.text()).collect();
                Ok(inference.logits(&texts)?)
            }
            Engine::Onnx(onnx) => onnx.logits(windows),
        }
    }
}

/// Reads the tokenizer of a network.
pub(crate) fn prompter(
    network: &SpanNetwork,
    checkpoint: &SpanCheckpoint,
) -> anyhow::Result<Prompter> {
    let of_tokenizer = checkpoint.max_tokens().unwrap_or(usize::MAX);
    let max_tokens = network.max_tokens().min(of_tokenizer);
    Prompter::new(network.config(), &checkpoint.tokenizer, max_tokens)
}

/// Returns what of a text is read.
pub(crate) fn first_chars(text: &str) -> &str {
    match text.char_indices().nth(MAX_CHARS) {
        None => text,
        Some((end, _)) => {
            tracing::warn!("a text is read up to its character {MAX_CHARS} only");
            &text[..end]
        }
    }
}

/// Adds the parts of the text, which are found by their characters.
fn add_texts(found: &mut [Found], text: &str) {
    let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).collect();
    let byte = |idx: usize| bytes.get(idx).copied().unwrap_or(text.len());
    for found in found {
        text[byte(found.start)..byte(found.end)].clone_into(&mut found.text);
    }
}

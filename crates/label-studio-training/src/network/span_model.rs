//! An encoder with a head for spans.

use std::{ops::Range, path::Path, sync::OnceLock};

use super::{
    NetworkError, Tokens,
    encoder::{Encoder, EncoderMemory, Mode, Pass},
    input::Packed,
    linear::Linear,
    load::{LoadOptions, load_values},
    parameters::{Gradients, Layout, Parameters, Part},
    positions::Projected,
    scratch::resized,
    span_head::{SpanBounds, SpanHead, SpanHeadMemory},
};
use crate::checkpoint::{
    CheckpointError, Sizes, SpanCheckpoint, SpanConfig, SpanWeights, read_tensors,
};

/// Prefix of the tensors of the encoder.
const ENCODER: &str = "token_rep_layer.bert_layer.model.";
const PROJECTION: &str = "token_rep_layer.projection";

/// A model that scores the spans of a text for labels that are given with it: GLiNER, in the mode
/// `markerV0`.
///
/// Its numbers are those that the Python library computes from the same files.
#[derive(Debug)]
pub struct SpanNetwork {
    config: SpanConfig,
    sizes: Sizes,
    encoder: Encoder,
    /// From the width of the encoder to that of the head, if they differ.
    projection: Option<Linear>,
    head: SpanHead,
    parameters: Parameters,
    /// The distances of tokens as the layers see them, while the parameters stay the same.
    distances: OnceLock<Vec<Projected>>,
}

/// A text with its labels in front, as tokens.
#[derive(Debug, Clone, Copy)]
pub struct SpanText<'a> {
    /// Ids of the tokens, special ones included.
    pub ids: &'a [u32],
    /// First token of each word; `None` for a word without tokens.
    pub words: &'a [Option<usize>],
    /// Token of each label.
    pub labels: &'a [usize],
}

/// Memory of forward and backward passes, which is used again and again.
#[derive(Debug, Default)]
pub struct SpanWorkspace {
    encoder: EncoderMemory,
    /// Rows of the words, then of the labels, as the encoder has them, and projected.
    gathered: Vec<f32>,
    projected: Vec<f32>,
    pub(crate) head: SpanHeadMemory,
}

/// A forward pass that a backward pass can follow.
#[derive(Debug)]
pub(crate) struct SpanPass {
    pass: Pass,
    places: Places,
    bounds: SpanBounds,
}

/// Tokens of words and labels among those of a batch.
#[derive(Debug, Default)]
struct Places {
    words: Vec<Option<usize>>,
    labels: Vec<usize>,
}

impl SpanNetwork {
    /// Reads a model.
    pub fn load(checkpoint: &SpanCheckpoint) -> Result<Self, CheckpointError> {
        Self::read(checkpoint, SpanConfig::read(&checkpoint.config)?)
    }

    pub(crate) fn read(
        checkpoint: &SpanCheckpoint,
        config: SpanConfig,
    ) -> Result<Self, CheckpointError> {
        let weights = match &checkpoint.weights {
            SpanWeights::Safetensors(path) => path.clone(),
            SpanWeights::Onnx(path) => {
                return Err(CheckpointError::OnlyOnnx { path: path.clone() });
            }
        };
        let sizes = config.encoder()?.sizes.clone();
        let width = config.sizes().hidden_size;
        let mut layout = Layout::default();
        let encoder = Encoder::add(&mut layout, &sizes, ENCODER);
        let projection = (sizes.hidden_size != width)
            .then(|| Linear::add(&mut layout, PROJECTION, (sizes.hidden_size, width), false));
        layout.part = Part::Head;
        let head = SpanHead::add(&mut layout, config.sizes());
        let options = LoadOptions {
            prefix: "",
            deviation: 0.0,
            seed: None,
        };
        let values = load_values(&layout, &read_tensors(&[weights])?, options)?;
        let parameters = Parameters {
            tensors: layout.tensors,
            values,
            words: encoder.embeddings.words.clone(),
            word_width: encoder.embeddings.width,
        };
        Ok(Self {
            config,
            sizes,
            encoder,
            projection,
            head,
            parameters,
            distances: OnceLock::new(),
        })
    }

    /// Writes `gliner_config.json`, `model.safetensors` and the tokenizer's files into a folder,
    /// from which the Python library loads the model.
    pub fn save(&self, folder: &Path, tokenizer: &SpanCheckpoint) -> Result<(), CheckpointError> {
        let path = folder.join("gliner_config.json");
        std::fs::write(&path, self.config.to_json())
            .map_err(|source| CheckpointError::Io { path, source })?;
        tokenizer.copy_tokenizer(folder)?;
        self.parameters.save(&folder.join("model.safetensors"))
    }

    /// Returns what `gliner_config.json` says.
    pub fn config(&self) -> &SpanConfig {
        &self.config
    }

    /// Sets what `gliner_config.json` says beside sizes.
    #[must_use]
    pub fn with_config(mut self, change: impl FnOnce(SpanConfig) -> SpanConfig) -> Self {
        self.config = change(self.config);
        self
    }

    /// Returns how many tokens a text can have at all, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.sizes.most_tokens()
    }

    /// Returns the norm of each tensor, by its name.
    pub fn norms(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parameters.norms()
    }

    /// Computes the logits of all texts, one after the other: one row per span, by its first and
    /// then by its last word, with one value per label of the text.
    pub fn logits<'a>(
        &self,
        texts: &[SpanText<'_>],
        workspace: &'a mut SpanWorkspace,
    ) -> Result<&'a [f32], NetworkError> {
        self.forward(texts, Mode::Predict, workspace)?;
        Ok(&workspace.head.logits)
    }

    /// Returns how many logits a text has.
    pub(crate) fn n_outputs(&self, text: &SpanText<'_>) -> usize {
        super::n_spans(text.words.len(), self.config.max_width()) * text.labels.len()
    }

    pub(crate) fn forward(
        &self,
        texts: &[SpanText<'_>],
        mode: Mode,
        workspace: &mut SpanWorkspace,
    ) -> Result<SpanPass, NetworkError> {
        let tokens: Vec<_> = texts
            .iter()
            .map(|text| Tokens {
                ids: text.ids,
                type_ids: &[],
            })
            .collect();
        let packed = Packed::new(&self.sizes, &tokens)?;
        let (places, bounds) = places(texts, &packed.bounds)?;
        let values = &self.parameters.values;
        let distances = match mode {
            Mode::Predict => self
                .distances
                .get_or_init(|| self.encoder.project_distances(values))
                .as_slice(),
            Mode::Learn(_) => &[],
        };
        let memory = &mut workspace.encoder;
        let pass = self
            .encoder
            .forward(values, (packed, mode), distances, memory);
        let rows = &memory.rows;
        let width = self.encoder.width();
        let gathered = resized(&mut workspace.gathered, places.len() * width);
        for (row, place) in gathered.chunks_exact_mut(width).zip(places.iter()) {
            match place {
                Some(token) => row.copy_from_slice(&rows[token * width..][..width]),
                None => row.fill(0.0),
            }
        }
        let rows = match &self.projection {
            None => &*gathered,
            Some(projection) => {
                let projected = resized(&mut workspace.projected, places.len() * projection.n_out);
                projection.forward(values, gathered, projected);
                places.clear_missing(projected, projection.n_out);
                &*projected
            }
        };
        let head = &mut workspace.head;
        let (words, labels) = rows.split_at(places.words.len() * self.config.sizes().hidden_size);
        if head.words.is_empty() {
            head.words.push(Vec::new());
        }
        resized(&mut head.words[0], words.len()).copy_from_slice(words);
        resized(&mut head.labels, labels.len()).copy_from_slice(labels);
        self.head.forward(values, (&bounds, mode.seed()), head);
        Ok(SpanPass {
            pass,
            places,
            bounds,
        })
    }

    /// Adds the gradients of all parameters, given that of the logits in the workspace's head.
    pub(crate) fn backward(
        &self,
        pass: &SpanPass,
        workspace: &mut SpanWorkspace,
        gradients: &mut Gradients,
    ) {
        let SpanPass {
            pass,
            places,
            bounds,
        } = pass;
        let values = &self.parameters.values;
        let SpanWorkspace {
            encoder,
            gathered,
            projected,
            head,
        } = workspace;
        let known = (bounds, pass.mode.seed());
        self.head
            .backward(values, known, head, &mut gradients.values);
        let width = self.config.sizes().hidden_size;
        let of_head = resized(projected, places.len() * width);
        let (words, labels) = of_head.split_at_mut(places.words.len() * width);
        words.copy_from_slice(&head.words[0]);
        labels.copy_from_slice(&head.labels);
        let of_rows = match &self.projection {
            None => &*of_head,
            Some(projection) => {
                places.clear_missing(of_head, width);
                projection.backward(gathered, of_head, &mut gradients.values);
                projection
                    .outputs(of_head)
                    .times(projection.weights(values))
                    .write(gathered);
                gathered
            }
        };
        let width = self.encoder.width();
        let n_values = pass.packed.n_tokens() * width;
        let rows = resized(&mut encoder.rows, n_values);
        rows.fill(0.0);
        for (gradient, place) in of_rows.chunks_exact(width).zip(places.iter()) {
            if let Some(token) = place {
                let row = &mut rows[token * width..][..width];
                crate::numbers::rows::add(row, gradient);
            }
        }
        self.encoder.backward(values, pass, encoder, gradients);
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    pub(crate) fn parameters_mut(&mut self) -> &mut Parameters {
        self.distances.take();
        &mut self.parameters
    }
}

impl Places {
    fn len(&self) -> usize {
        self.words.len() + self.labels.len()
    }

    /// Returns the token of each word, then of each label.
    fn iter(&self) -> impl Iterator<Item = Option<usize>> {
        let labels = self.labels.iter().map(|token| Some(*token));
        self.words.iter().copied().chain(labels)
    }

    /// Sets the rows of words without tokens to 0.
    fn clear_missing(&self, rows: &mut [f32], width: usize) {
        for (row, place) in rows.chunks_exact_mut(width).zip(self.iter()) {
            if place.is_none() {
                row.fill(0.0);
            }
        }
    }
}

/// Finds the tokens of words and labels, given where the tokens of each text start.
fn places(texts: &[SpanText<'_>], starts: &[usize]) -> Result<(Places, SpanBounds), NetworkError> {
    let mut places = Places::default();
    let mut bounds = SpanBounds {
        words: vec![0],
        labels: vec![0],
    };
    for (text_idx, text) in texts.iter().enumerate() {
        if text.words.is_empty() || text.labels.is_empty() {
            return Err(NetworkError::NoSpans { text_idx });
        }
        let tokens: Range<usize> = starts[text_idx]..starts[text_idx + 1];
        let place = |token: usize| {
            if token < tokens.len() {
                return Ok(tokens.start + token);
            }
            Err(NetworkError::Place {
                text_idx,
                token,
                n_tokens: tokens.len(),
            })
        };
        for word in text.words {
            places.words.push(word.map(place).transpose()?);
        }
        for label in text.labels {
            places.labels.push(place(*label)?);
        }
        bounds.words.push(places.words.len());
        bounds.labels.push(places.labels.len());
    }
    Ok((places, bounds))
}

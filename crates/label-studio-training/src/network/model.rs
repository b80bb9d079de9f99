//! An encoder with a head.

use std::path::Path;

use serde_json::Map;

use super::{
    NetworkError, Tokens, Workspace,
    embeddings::Embeddings,
    head::Head,
    input::Packed,
    layer::{Layer, LayerMemory, LayerOptions},
    load::load_values,
    parameters::{Gradients, Layout, Tensor},
};
use crate::{
    checkpoint::{
        Checkpoint, CheckpointError, Family, ModelConfig, Task, read_tensors, write_tensors,
    },
    numbers::dropout::{Dropout, mixed},
};

/// An encoder with a head that labels texts or their tokens.
///
/// Its numbers are those that `transformers` computes from the same files.
#[derive(Debug)]
pub struct Network {
    config: ModelConfig,
    labels: Vec<String>,
    layout: Layout,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    head: Head,
    values: Vec<f32>,
}

/// What a pass is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// No dropout, and nothing is kept.
    Predict,
    /// Dropout with this seed, and all is kept for the backward pass.
    Learn(u32),
}

/// A forward pass that a backward pass can follow.
#[derive(Debug)]
pub(crate) struct Pass {
    packed: Packed,
    mode: Mode,
}

impl Network {
    /// Reads a model with the labels that its `config.json` names; it has to have a head for
    /// `task`.
    pub fn load(checkpoint: &Checkpoint, task: Task) -> Result<Self, CheckpointError> {
        let config = ModelConfig::read(&checkpoint.config)?;
        Self::read(checkpoint, (config, task), None)
    }

    /// Reads a model that shall have these labels. A head of another size, or a missing one, is
    /// replaced by a new one, whose numbers depend on the seed alone.
    pub fn load_with_labels(
        checkpoint: &Checkpoint,
        task: Task,
        labels: &[String],
        seed: u64,
    ) -> Result<Self, CheckpointError> {
        let config = ModelConfig::read(&checkpoint.config)?.with_labels(labels, task);
        Self::read(checkpoint, (config, task), Some(seed))
    }

    pub(crate) fn read(
        checkpoint: &Checkpoint,
        (config, task): (ModelConfig, Task),
        new_head: Option<u64>,
    ) -> Result<Self, CheckpointError> {
        let labels = config.labels();
        if labels.is_empty() {
            let problem = "the model has no labels".to_owned();
            return Err(CheckpointError::Unsupported(problem));
        }
        let mut layout = Layout::default();
        let embeddings = Embeddings::add(&mut layout, &config);
        let layers = (0..config.sizes.num_hidden_layers)
            .map(|idx| Layer::add(&mut layout, &config, idx))
            .collect();
        let head = Head::add(&mut layout, &config, (task, labels.len()));
        let files = read_tensors(&checkpoint.weights)?;
        let values = load_values(&layout, &config, &files, new_head)?;
        Ok(Self {
            config,
            labels,
            layout,
            embeddings,
            layers,
            head,
            values,
        })
    }

    /// Writes `config.json`, `model.safetensors` and the tokenizer's files into a folder, from
    /// which `transformers` loads the model.
    pub fn save(&self, folder: &Path, tokenizer: &Checkpoint) -> Result<(), CheckpointError> {
        let path = folder.join("config.json");
        std::fs::write(&path, self.config.to_json())
            .map_err(|source| CheckpointError::Io { path, source })?;
        tokenizer.copy_tokenizer(folder)?;
        let tensors: Vec<_> = self
            .layout
            .tensors
            .iter()
            .map(|tensor| {
                let values = &self.values[tensor.range.clone()];
                (tensor.name.as_str(), tensor.shape.as_slice(), values)
            })
            .collect();
        write_tensors(&folder.join("model.safetensors"), &tensors, &Map::new())
    }

    /// Returns what `config.json` says.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Sets what `config.json` says beside sizes and labels.
    #[must_use]
    pub fn with_config(mut self, change: impl FnOnce(ModelConfig) -> ModelConfig) -> Self {
        self.config = change(self.config);
        self
    }

    /// Returns the labels in the order of the outputs.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns how many tokens a text may have, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.config.max_tokens()
    }

    /// Returns how many numbers the model has.
    pub fn n_parameters(&self) -> usize {
        self.values.len()
    }

    /// Returns the norm of each tensor, by its name.
    pub fn norms(&self) -> impl Iterator<Item = (&str, f64)> {
        self.layout.tensors.iter().map(|tensor| {
            let values = &self.values[tensor.range.clone()];
            let norm = crate::numbers::rows::sum_of_squares(values).sqrt();
            (tensor.name.as_str(), norm)
        })
    }

    /// Computes the logits: one row per text, or one per token of all texts, with one value per
    /// label.
    pub fn logits<'a>(
        &self,
        texts: &[Tokens<'_>],
        workspace: &'a mut Workspace,
    ) -> Result<&'a [f32], NetworkError> {
        self.forward(texts, Mode::Predict, workspace)?;
        Ok(&workspace.head.logits)
    }

    pub(crate) fn forward(
        &self,
        texts: &[Tokens<'_>],
        mode: Mode,
        workspace: &mut Workspace,
    ) -> Result<Pass, NetworkError> {
        let packed = Packed::new(&self.config, texts)?;
        let n_memories = match mode {
            Mode::Predict => 1,
            Mode::Learn(_) => self.layers.len(),
        };
        if workspace.layers.len() < n_memories.max(1) {
            workspace
                .layers
                .resize_with(n_memories.max(1), LayerMemory::default);
        }
        let mut rows = std::mem::take(&mut workspace.layers[0].input);
        let embedding_options = (&packed, self.eps(), self.embedding_dropout(mode));
        let memory = &mut workspace.embeddings;
        self.embeddings
            .forward(&self.values, embedding_options, memory, &mut rows);
        let options = self.layer_options(mode);
        for (idx, layer) in self.layers.iter().enumerate() {
            // Without learning, all layers share one memory, and rows change places.
            let memory_idx = idx.min(n_memories - 1);
            let is_last = idx + 1 == self.layers.len();
            let mut out = match mode {
                Mode::Learn(_) if !is_last => std::mem::take(&mut workspace.layers[idx + 1].input),
                _ => std::mem::take(&mut workspace.spare),
            };
            let memory = &mut workspace.layers[memory_idx];
            memory.input = rows;
            let pass = (&packed, options.of_layer(idx));
            layer.forward(
                &self.values,
                pass,
                memory,
                (&mut out, &mut workspace.scratch),
            );
            if matches!(mode, Mode::Predict) {
                workspace.spare = std::mem::take(&mut memory.input);
            }
            rows = out;
        }
        self.head.forward(
            &self.values,
            (&packed, mode.seed()),
            &rows,
            &mut workspace.head,
        );
        match mode {
            Mode::Predict => workspace.layers[0].input = rows,
            Mode::Learn(_) => workspace.spare = rows,
        }
        Ok(Pass { packed, mode })
    }

    /// Adds the gradients of all parameters, given that of the logits in the workspace's head.
    pub(crate) fn backward(
        &self,
        pass: &Pass,
        workspace: &mut Workspace,
        gradients: &mut Gradients,
    ) {
        let Pass { packed, mode } = pass;
        let mut rows = std::mem::take(&mut workspace.spare);
        rows.resize(packed.n_tokens() * self.config.sizes.hidden_size, 0.0);
        self.head.backward(
            &self.values,
            (packed, mode.seed()),
            &mut workspace.head,
            (&mut rows, &mut gradients.values),
        );
        let options = self.layer_options(*mode);
        for (idx, layer) in self.layers.iter().enumerate().rev() {
            let changed = (
                &mut rows[..],
                &mut gradients.values[..],
                &mut workspace.scratch,
            );
            let memory = &workspace.layers[idx];
            layer.backward(
                &self.values,
                (packed, options.of_layer(idx)),
                memory,
                changed,
            );
        }
        let embedding_options = (packed, self.eps(), self.embedding_dropout(*mode));
        self.embeddings.backward(
            &self.values,
            embedding_options,
            &workspace.embeddings,
            (&mut rows, gradients),
        );
        workspace.spare = rows;
    }

    /// Returns gradients of the right size, all 0.
    pub(crate) fn gradients(&self) -> Gradients {
        Gradients::new(self.values.len(), self.config.sizes.vocab_size)
    }

    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.layout.tensors
    }

    /// Returns the range of the words' embeddings, and the width of a word.
    pub(crate) fn words(&self) -> (std::ops::Range<usize>, usize) {
        (self.embeddings.words.clone(), self.embeddings.width)
    }

    /// Returns how many logits a text with so many tokens has.
    pub(crate) fn n_outputs(&self, n_tokens: usize) -> usize {
        self.head.n_rows(n_tokens) * self.head.n_labels()
    }

    pub(crate) fn n_labels(&self) -> usize {
        self.head.n_labels()
    }

    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    fn eps(&self) -> f32 {
        self.config.sizes.layer_norm_eps
    }

    fn embedding_dropout(&self, mode: Mode) -> Dropout {
        match mode {
            Mode::Predict => Dropout::new(0.0, 0),
            Mode::Learn(seed) => {
                Dropout::new(self.config.sizes.hidden_dropout_prob, mixed(4, seed))
            }
        }
    }

    fn layer_options(&self, mode: Mode) -> LayerOptions {
        let sizes = &self.config.sizes;
        let (hidden, attention) = match mode {
            Mode::Predict => (0.0, 0.0),
            Mode::Learn(_) => (
                sizes.hidden_dropout_prob,
                sizes.attention_probs_dropout_prob,
            ),
        };
        let is_distil = sizes.family == Family::DistilBert;
        LayerOptions {
            n_heads: sizes.num_attention_heads,
            activation: sizes.hidden_act,
            eps: sizes.layer_norm_eps,
            hidden_dropout: hidden,
            output_dropout: if is_distil { 0.0 } else { hidden },
            attention_dropout: attention,
            seed: mode.seed().unwrap_or(0),
        }
    }
}

impl Mode {
    fn seed(self) -> Option<u32> {
        match self {
            Self::Predict => None,
            Self::Learn(seed) => Some(seed),
        }
    }
}

//! An encoder with a head.

use std::{path::Path, sync::OnceLock};

use super::{
    NetworkError, Tokens, Workspace,
    encoder::{Encoder, Mode, Pass},
    head::Head,
    input::Packed,
    load::{LoadOptions, load_values},
    parameters::{Gradients, Layout, Parameters, Part},
    positions::Projected,
    scratch::resized,
};
use crate::checkpoint::{Checkpoint, CheckpointError, ModelConfig, Task, read_tensors};

/// An encoder with a head that labels texts or their tokens.
///
/// Its numbers are those that `transformers` computes from the same files.
#[derive(Debug)]
pub struct Network {
    config: ModelConfig,
    labels: Vec<String>,
    encoder: Encoder,
    head: Head,
    parameters: Parameters,
    /// The distances of tokens as the layers see them, while the parameters stay the same.
    distances: OnceLock<Vec<Projected>>,
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
        let encoder = Encoder::add(&mut layout, &config.sizes, config.prefix());
        layout.part = Part::Head;
        let head = Head::add(&mut layout, &config, (task, labels.len()));
        let files = read_tensors(&checkpoint.weights)?;
        let options = LoadOptions {
            prefix: config.prefix(),
            deviation: config.sizes.initializer_range,
            seed: new_head,
        };
        let values = load_values(&layout, &files, options)?;
        let parameters = Parameters {
            tensors: layout.tensors,
            values,
            words: encoder.embeddings.words.clone(),
            word_width: encoder.embeddings.width,
        };
        Ok(Self {
            config,
            labels,
            encoder,
            head,
            parameters,
            distances: OnceLock::new(),
        })
    }

    /// Writes `config.json`, `model.safetensors` and the tokenizer's files into a folder, from
    /// which `transformers` loads the model.
    pub fn save(&self, folder: &Path, tokenizer: &Checkpoint) -> Result<(), CheckpointError> {
        let path = folder.join("config.json");
        std::fs::write(&path, self.config.to_json())
            .map_err(|source| CheckpointError::Io { path, source })?;
        tokenizer.copy_tokenizer(folder)?;
        self.parameters.save(&folder.join("model.safetensors"))
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
        self.parameters.values.len()
    }

    /// Returns the norm of each tensor, by its name.
    pub fn norms(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parameters.norms()
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
        let packed = Packed::new(&self.config.sizes, texts)?;
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
        let input = (&pass.packed, mode.seed());
        self.head
            .forward(values, input, &memory.rows, &mut workspace.head);
        Ok(pass)
    }

    /// Adds the gradients of all parameters, given that of the logits in the workspace's head.
    pub(crate) fn backward(
        &self,
        pass: &Pass,
        workspace: &mut Workspace,
        gradients: &mut Gradients,
    ) {
        let values = &self.parameters.values;
        let memory = &mut workspace.encoder;
        let n_values = pass.packed.n_tokens() * self.encoder.width();
        let rows = resized(&mut memory.rows, n_values);
        self.head.backward(
            values,
            (&pass.packed, pass.mode.seed()),
            &mut workspace.head,
            (rows, &mut gradients.values),
        );
        self.encoder.backward(values, pass, memory, gradients);
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    pub(crate) fn parameters_mut(&mut self) -> &mut Parameters {
        self.distances.take();
        &mut self.parameters
    }

    /// Returns how many logits a text with so many tokens has.
    pub(crate) fn n_outputs(&self, n_tokens: usize) -> usize {
        self.head.n_rows(n_tokens) * self.head.n_labels()
    }

    pub(crate) fn n_labels(&self) -> usize {
        self.head.n_labels()
    }
}

//! The kind of a model and its sizes.

use serde::Deserialize;

use super::{CheckpointError, deberta::Deberta};
use crate::numbers::activation::Activation;

/// Largest number that any size in a config may have; real models stay far below it.
pub(super) const MAX_SIZE: usize = 1 << 22;
/// Most layers of a model.
const MAX_LAYERS: usize = 1024;
/// Most numbers of a model: 16 GiB.
const MAX_PARAMETERS: usize = 1 << 32;

/// The kinds of models that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// BERT.
    Bert,
    /// `DistilBERT`.
    #[serde(rename = "distilbert")]
    DistilBert,
    /// `RoBERTa`, and others of the same structure: XLM-R, `CamemBERT`.
    #[serde(alias = "xlm-roberta", alias = "camembert")]
    Roberta,
    /// ELECTRA, the discriminator.
    Electra,
    /// `DeBERTa` of the versions 2 and 3.
    #[serde(rename = "deberta-v2")]
    DebertaV2,
}

/// The numbers of a config that the arithmetic needs.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Sizes {
    #[serde(rename = "model_type")]
    pub(crate) family: Family,
    pub(crate) vocab_size: usize,
    #[serde(alias = "dim")]
    pub(crate) hidden_size: usize,
    #[serde(alias = "n_layers")]
    pub(crate) num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    pub(crate) num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    pub(crate) intermediate_size: usize,
    #[serde(default = "default_positions")]
    pub(crate) max_position_embeddings: usize,
    /// 0 for a family without types.
    #[serde(default)]
    pub(crate) type_vocab_size: usize,
    #[serde(default)]
    pub(crate) embedding_size: usize,
    #[serde(alias = "activation", default = "default_activation")]
    pub(crate) hidden_act: Activation,
    #[serde(alias = "dropout", default = "default_dropout")]
    pub(crate) hidden_dropout_prob: f32,
    #[serde(alias = "attention_dropout", default = "default_dropout")]
    pub(crate) attention_probs_dropout_prob: f32,
    #[serde(default)]
    pub(crate) classifier_dropout: Option<f32>,
    #[serde(default = "default_classifier_dropout")]
    pub(crate) seq_classif_dropout: f32,
    #[serde(default = "default_eps")]
    pub(crate) layer_norm_eps: f32,
    #[serde(default = "default_range")]
    pub(crate) initializer_range: f32,
    #[serde(default)]
    pub(crate) pad_token_id: Option<u32>,
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
    #[serde(default)]
    sinusoidal_pos_embds: bool,
    /// Of `DeBERTa` only.
    #[serde(skip)]
    pub(crate) deberta: Option<Deberta>,
}

impl Sizes {
    /// Position of the first token: `RoBERTa` counts from behind the padding's id.
    pub(crate) fn first_position(&self) -> usize {
        match self.family {
            Family::Roberta => self.padding_position() + 1,
            _ => 0,
        }
    }

    /// Id of the padding token, which `RoBERTa` also uses as the position of padding.
    pub(crate) fn padding_position(&self) -> usize {
        self.pad_token_id.map_or(1, |id| id as usize)
    }

    /// Returns how many tokens a text can have at all; a limit of the config is lower where tokens
    /// have no embeddings of their places.
    pub(crate) fn most_tokens(&self) -> usize {
        match &self.deberta {
            Some(deberta) if !deberta.position_biased_input => MAX_SIZE,
            _ => self
                .max_position_embeddings
                .saturating_sub(self.first_position()),
        }
    }

    /// Checks that the numbers fit together, and that a model of them fits into memory.
    pub(super) fn check(&self) -> Result<(), CheckpointError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("embedding_size", self.embedding_size),
        ];
        for (name, size) in sizes {
            if !(1..=MAX_SIZE).contains(&size) {
                return Err(wrong(name, format!("{size}")));
            }
        }
        if self.num_hidden_layers > MAX_LAYERS {
            return Err(wrong(
                "num_hidden_layers",
                format!("{}", self.num_hidden_layers),
            ));
        }
        if self.type_vocab_size > MAX_SIZE {
            return Err(wrong(
                "type_vocab_size",
                format!("{}", self.type_vocab_size),
            ));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let problem = format!("{} is not a multiple of the heads", self.hidden_size);
            return Err(wrong("hidden_size", problem));
        }
        if self.max_position_embeddings <= self.first_position() + 2 {
            let problem = format!("{} leaves no tokens", self.max_position_embeddings);
            return Err(wrong("max_position_embeddings", problem));
        }
        let per_layer = self.hidden_size.saturating_mul(
            self.hidden_size
                .saturating_mul(4)
                .saturating_add(self.intermediate_size.saturating_mul(2)),
        );
        let n_parameters = per_layer
            .saturating_mul(self.num_hidden_layers)
            .saturating_add(self.vocab_size.saturating_mul(self.embedding_size));
        if n_parameters > MAX_PARAMETERS {
            return Err(wrong(
                "hidden_size",
                format!("the model has {n_parameters} numbers"),
            ));
        }
        let probabilities = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
            ("classifier_dropout", self.classifier_dropout.unwrap_or(0.0)),
            ("seq_classif_dropout", self.seq_classif_dropout),
        ];
        for (name, probability) in probabilities {
            if !(0.0..1.0).contains(&probability) {
                return Err(wrong(
                    name,
                    format!("{probability} is no probability below 1"),
                ));
            }
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(wrong("layer_norm_eps", format!("{}", self.layer_norm_eps)));
        }
        if let Some(deberta) = &self.deberta {
            deberta.check(
                (self.hidden_size, self.num_attention_heads),
                (self.max_position_embeddings, MAX_SIZE),
            )?;
        }
        let has_relative = self.position_embedding_type.as_deref();
        if has_relative.is_some_and(|kind| kind != "absolute") {
            let problem = "position_embedding_type must be \"absolute\"".to_owned();
            return Err(CheckpointError::Unsupported(problem));
        }
        if self.is_decoder || (self.sinusoidal_pos_embds && self.family != Family::DistilBert) {
            let problem = "the model is a decoder, and only encoders are read".to_owned();
            return Err(CheckpointError::Unsupported(problem));
        }
        Ok(())
    }
}

fn wrong(name: &'static str, problem: String) -> CheckpointError {
    CheckpointError::Size { name, problem }
}

fn default_positions() -> usize {
    512
}

fn default_activation() -> Activation {
    Activation::Gelu
}

fn default_dropout() -> f32 {
    0.1
}

fn default_classifier_dropout() -> f32 {
    0.2
}

fn default_eps() -> f32 {
    1e-12
}

fn default_range() -> f32 {
    0.02
}

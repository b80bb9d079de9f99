//! `config.json`.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{CheckpointError, deberta::Deberta};
use crate::numbers::activation::Activation;

/// Largest number that any size in a config may have; real models stay far below it.
const MAX_SIZE: usize = 1 << 22;
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

/// What a model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// One label for a text.
    SequenceClassification,
    /// One label for each token.
    TokenClassification,
}

/// What `config.json` says. Fields that are not known are kept, and written back.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    pub(crate) sizes: Sizes,
    fields: Map<String, Value>,
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

impl ModelConfig {
    /// Reads a `config.json`.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let json = fs::read(path).map_err(|source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        })?;
        let wrong = |source| CheckpointError::Config {
            path: path.to_owned(),
            source,
        };
        Self::from_fields(serde_json::from_slice(&json).map_err(wrong)?, path)
    }

    /// Reads the fields of a `config.json`, which may be a part of another file.
    pub(crate) fn from_fields(
        fields: Map<String, Value>,
        path: &Path,
    ) -> Result<Self, CheckpointError> {
        check_family(&fields)?;
        let wrong = |source| CheckpointError::Config {
            path: path.to_owned(),
            source,
        };
        let sizes: Result<Sizes, _> = serde_json::from_value(Value::Object(fields.clone()));
        let mut sizes = sizes.map_err(wrong)?;
        let has_narrow_words = matches!(sizes.family, Family::Electra | Family::DebertaV2);
        if sizes.embedding_size == 0 || !has_narrow_words {
            sizes.embedding_size = sizes.hidden_size;
        }
        match sizes.family {
            Family::DistilBert => {
                sizes.type_vocab_size = 0;
                sizes.layer_norm_eps = 1e-12;
            }
            Family::Bert | Family::Electra if !fields.contains_key("type_vocab_size") => {
                sizes.type_vocab_size = 2;
            }
            Family::Roberta if !fields.contains_key("type_vocab_size") => {
                sizes.type_vocab_size = 1;
            }
            Family::DebertaV2 => {
                let deberta: Deberta =
                    serde_json::from_value(Value::Object(fields.clone())).map_err(wrong)?;
                sizes.classifier_dropout = deberta.cls_dropout;
                if !fields.contains_key("layer_norm_eps") {
                    sizes.layer_norm_eps = 1e-7;
                }
                sizes.deberta = Some(deberta);
            }
            _ => {}
        }
        sizes.check()?;
        Ok(Self { sizes, fields })
    }

    /// Returns the kind of the model.
    pub fn family(&self) -> Family {
        self.sizes.family
    }

    /// Returns the labels in the order of the model's outputs: those of `id2label`, else
    /// `LABEL_0`, `LABEL_1` and so on.
    pub fn labels(&self) -> Vec<String> {
        let named = self.fields.get("id2label").and_then(Value::as_object);
        let n_labels = match named {
            Some(labels) => labels.len(),
            None => self
                .fields
                .get("num_labels")
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
                .map_or(2, |n| n.min(MAX_SIZE)),
        };
        let name = |idx: usize| {
            let name = named.and_then(|labels| labels.get(&idx.to_string())?.as_str());
            name.map_or_else(|| format!("LABEL_{idx}"), str::to_owned)
        };
        (0..n_labels).map(name).collect()
    }

    /// Returns this config with other labels, and as that of a model for `task`.
    #[must_use]
    pub fn with_labels(mut self, labels: &[String], task: Task) -> Self {
        let numbered = labels.iter().enumerate();
        let id2label: Map<String, Value> = numbered
            .clone()
            .map(|(idx, label)| (idx.to_string(), json!(label)))
            .collect();
        let label2id: Map<String, Value> = numbered
            .map(|(idx, label)| (label.clone(), json!(idx)))
            .collect();
        self.fields.remove("num_labels");
        self.fields.remove("_num_labels");
        self.fields.insert("id2label".to_owned(), id2label.into());
        self.fields.insert("label2id".to_owned(), label2id.into());
        let architecture = format!("{}{}", self.class_prefix(), task.class_suffix());
        self.fields
            .insert("architectures".to_owned(), json!([architecture]));
        if task == Task::SequenceClassification {
            let problem = json!("single_label_classification");
            self.fields.insert("problem_type".to_owned(), problem);
        } else {
            self.fields.remove("problem_type");
        }
        self.fields
            .insert("torch_dtype".to_owned(), json!("float32"));
        self.fields.remove("dtype");
        self
    }

    /// Returns a field of the file.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Returns this config with another value of a field; sizes are not affected.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// Returns this config without dropout during training, as if every probability were 0.
    #[must_use]
    pub fn without_dropout(mut self) -> Self {
        self.sizes.hidden_dropout_prob = 0.0;
        self.sizes.attention_probs_dropout_prob = 0.0;
        self.sizes.classifier_dropout = Some(0.0);
        self.sizes.seq_classif_dropout = 0.0;
        if let Some(deberta) = &mut self.sizes.deberta {
            deberta.pooler_dropout = 0.0;
        }
        self
    }

    /// Returns how many tokens a text may have, special ones included.
    pub fn max_tokens(&self) -> usize {
        let positions = self.sizes.max_position_embeddings;
        match self.sizes.family {
            Family::Roberta => positions.saturating_sub(self.sizes.first_position()),
            _ => positions,
        }
    }

    /// Returns whether an output is an independent probability, and not one of several that exclude
    /// each other.
    pub fn is_multi_label(&self) -> bool {
        self.fields.get("problem_type").and_then(Value::as_str)
            == Some("multi_label_classification")
    }

    /// Returns the text of the file.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(&self.fields)
            .expect("a map with text keys can be written");
        json.push('\n');
        json
    }

    /// Prefix of the encoder's tensors.
    pub(crate) fn prefix(&self) -> &'static str {
        match self.sizes.family {
            Family::Bert => "bert.",
            Family::DistilBert => "distilbert.",
            Family::Roberta => "roberta.",
            Family::Electra => "electra.",
            Family::DebertaV2 => "deberta.",
        }
    }

    fn class_prefix(&self) -> &'static str {
        match self.fields.get("model_type").and_then(Value::as_str) {
            Some("distilbert") => "DistilBert",
            Some("roberta") => "Roberta",
            Some("xlm-roberta") => "XLMRoberta",
            Some("camembert") => "Camembert",
            Some("electra") => "Electra",
            Some("deberta-v2") => "DebertaV2",
            _ => "Bert",
        }
    }
}

impl Task {
    fn class_suffix(self) -> &'static str {
        match self {
            Self::SequenceClassification => "ForSequenceClassification",
            Self::TokenClassification => "ForTokenClassification",
        }
    }
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

    fn check(&self) -> Result<(), CheckpointError> {
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

fn check_family(fields: &Map<String, Value>) -> Result<(), CheckpointError> {
    const KNOWN: [&str; 7] = [
        "bert",
        "distilbert",
        "roberta",
        "xlm-roberta",
        "camembert",
        "electra",
        "deberta-v2",
    ];
    let named = fields.get("model_type").and_then(Value::as_str);
    if named.is_some_and(|name| KNOWN.contains(&name)) {
        return Ok(());
    }
    Err(CheckpointError::Unsupported(format!(
        "models of the type {:?} are not read: choose a checkpoint whose config.json has one of the model_types {}",
        named.unwrap_or_default(),
        KNOWN.join(", ")
    )))
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

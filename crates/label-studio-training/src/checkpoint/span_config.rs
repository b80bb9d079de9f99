//! `gliner_config.json`.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{CheckpointError, ModelConfig};

/// Largest number that a size may have.
const MAX_SIZE: usize = 1 << 16;
/// Most layers of the recurrent part.
const MAX_LAYERS: usize = 16;

/// What `gliner_config.json` says. Fields that are not known are kept, and written back.
#[derive(Debug, Clone)]
pub struct SpanConfig {
    settings: Settings,
    encoder: Option<ModelConfig>,
    fields: Map<String, Value>,
}

/// The numbers that the arithmetic needs beside those of the encoder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanSizes {
    pub(crate) hidden_size: usize,
    pub(crate) max_width: usize,
    pub(crate) n_rnn_layers: usize,
    pub(crate) dropout: f32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Settings {
    hidden_size: usize,
    max_width: usize,
    max_len: usize,
    max_types: usize,
    dropout: f32,
    /// Of older versions.
    has_rnn: bool,
    num_rnn_layers: Option<i64>,
    span_mode: String,
    subtoken_pooling: String,
    words_splitter_type: String,
    post_fusion_schema: Option<String>,
    fuse_layers: bool,
    labels_encoder: Option<String>,
    labels_decoder: Option<String>,
    span_encoder_config: Option<Value>,
    precomputed_prompts_mode: Option<bool>,
    embed_ent_token: bool,
    ent_token: String,
    sep_token: String,
}

impl Default for Settings {
    /// The defaults of the library.
    fn default() -> Self {
        Self {
            hidden_size: 512,
            max_width: 12,
            max_len: 384,
            max_types: 25,
            dropout: 0.4,
            has_rnn: true,
            num_rnn_layers: None,
            span_mode: "markerV0".to_owned(),
            subtoken_pooling: "first".to_owned(),
            words_splitter_type: "whitespace".to_owned(),
            post_fusion_schema: None,
            fuse_layers: false,
            labels_encoder: None,
            labels_decoder: None,
            span_encoder_config: None,
            precomputed_prompts_mode: None,
            embed_ent_token: true,
            ent_token: "<<ENT>>".to_owned(),
            sep_token: "<<SEP>>".to_owned(),
        }
    }
}

impl SpanConfig {
    /// Reads a `gliner_config.json`.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let wrong = |source| CheckpointError::Config {
            path: path.to_owned(),
            source,
        };
        let json = fs::read(path).map_err(|source| CheckpointError::Io {
            path: path.to_owned(),
            source,
        })?;
        let fields: Map<String, Value> = serde_json::from_slice(&json).map_err(wrong)?;
        let settings: Settings =
            serde_json::from_value(Value::Object(fields.clone())).map_err(wrong)?;
        settings.check()?;
        let encoder = match fields.get("encoder_config").and_then(Value::as_object) {
            None => None,
            Some(encoder) => {
                let mut encoder = encoder.clone();
                encoder
                    .entry("model_type")
                    .or_insert_with(|| "deberta-v2".into());
                Some(ModelConfig::from_fields(encoder, path)?)
            }
        };
        Ok(Self {
            settings,
            encoder,
            fields,
        })
    }

    /// Returns how many words a span may have.
    pub fn max_width(&self) -> usize {
        self.settings.max_width
    }

    /// Returns how many words a text may have.
    pub fn max_words(&self) -> usize {
        self.settings.max_len
    }

    /// Returns how many labels a training shows with a text.
    pub fn max_labels(&self) -> usize {
        self.settings.max_types
    }

    /// Returns the token in front of each label.
    pub fn label_token(&self) -> &str {
        &self.settings.ent_token
    }

    /// Returns the token behind the labels.
    pub fn separator_token(&self) -> &str {
        &self.settings.sep_token
    }

    /// Returns whether a label is known by the token in front of it, and not by its own first one.
    pub fn uses_label_token(&self) -> bool {
        self.settings.embed_ent_token
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
        self.settings.dropout = 0.0;
        self.encoder = self.encoder.map(ModelConfig::without_dropout);
        self
    }

    /// Returns the config of the encoder.
    pub(crate) fn encoder(&self) -> Result<&ModelConfig, CheckpointError> {
        self.encoder.as_ref().ok_or_else(|| {
            let problem = "gliner_config.json has no encoder_config: save the model once with a \
                           current version of the Python library gliner, which writes it";
            CheckpointError::Unsupported(problem.to_owned())
        })
    }

    pub(crate) fn sizes(&self) -> SpanSizes {
        SpanSizes {
            hidden_size: self.settings.hidden_size,
            max_width: self.settings.max_width,
            n_rnn_layers: self.settings.n_rnn_layers(),
            dropout: self.settings.dropout,
        }
    }

    /// Returns the text of the file.
    pub(crate) fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(&self.fields)
            .expect("a map with text keys can be written");
        json.push('\n');
        json
    }
}

impl Settings {
    fn n_rnn_layers(&self) -> usize {
        match self.num_rnn_layers {
            Some(n_layers) => usize::try_from(n_layers).unwrap_or(0),
            None => usize::from(self.has_rnn),
        }
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let sizes = [
            ("hidden_size", self.hidden_size),
            ("max_width", self.max_width),
            ("max_len", self.max_len),
            ("max_types", self.max_types),
        ];
        for (name, size) in sizes {
            if !(1..=MAX_SIZE).contains(&size) {
                let problem = format!("{size}");
                return Err(CheckpointError::Size { name, problem });
            }
        }
        if self.n_rnn_layers() > MAX_LAYERS {
            return Err(CheckpointError::Size {
                name: "num_rnn_layers",
                problem: format!("{}", self.n_rnn_layers()),
            });
        }
        if !self.hidden_size.is_multiple_of(2) {
            return Err(CheckpointError::Size {
                name: "hidden_size",
                problem: format!("{} has no half for each direction", self.hidden_size),
            });
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(CheckpointError::Size {
                name: "dropout",
                problem: format!("{} is no probability below 1", self.dropout),
            });
        }
        let is_named = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        let unknown = [
            (self.span_mode != "markerV0", "span_mode", "markerV0"),
            (
                self.subtoken_pooling != "first",
                "subtoken_pooling",
                "first",
            ),
            (
                self.words_splitter_type != "whitespace",
                "words_splitter_type",
                "whitespace",
            ),
            (self.fuse_layers, "fuse_layers", "false"),
            (
                is_named(&self.post_fusion_schema),
                "post_fusion_schema",
                "empty",
            ),
            (is_named(&self.labels_encoder), "labels_encoder", "null"),
            (is_named(&self.labels_decoder), "labels_decoder", "null"),
            (
                self.span_encoder_config.is_some(),
                "span_encoder_config",
                "null",
            ),
            (
                self.precomputed_prompts_mode == Some(true),
                "precomputed_prompts_mode",
                "false",
            ),
        ];
        match unknown.iter().find(|(is_unknown, ..)| *is_unknown) {
            None => Ok(()),
            Some((_, field, known)) => Err(CheckpointError::Unsupported(format!(
                "gliner_config.json asks for another {field} than {known}, which is the only one that is read"
            ))),
        }
    }
}

//! `config.json`.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};

use super::{
    CheckpointError,
    deberta::Deberta,
    sizes::{Family, MAX_SIZE, Sizes},
};

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

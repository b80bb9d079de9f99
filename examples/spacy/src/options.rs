//! Options of the model.

use std::{collections::BTreeMap, str::FromStr};

use clap::{ArgAction, Args, builder::FalseyValueParser};
use label_studio_ml::serde_json;

/// Options of the model.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Options {
    /// Pipeline: a folder, a name of spaCy's such as `en_core_web_sm`, owner/name on the hub, or
    /// package==version on the package index
    #[arg(long, env = "SPACY_MODEL", default_value = "en_core_web_sm")]
    pub spacy_model: String,

    /// Labels of the project for labels of the pipeline, as JSON: {"GPE": "Place", "LOC": "Place"}
    #[arg(long, env = "CUSTOM_LABELS_MAPPING", default_value = "{}")]
    pub custom_labels_mapping: LabelNames,

    /// Keep entities whose label the project does not have
    #[arg(long, env = "KEEP_UNKNOWN_LABELS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub keep_unknown_labels: bool,
}

/// Other names of labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelNames(pub BTreeMap<String, String>);

impl LabelNames {
    /// Returns the other name of a label, or the label itself.
    pub fn get<'a>(&'a self, label: &'a str) -> &'a str {
        self.0.get(label).map_or(label, String::as_str)
    }
}

impl FromStr for LabelNames {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map(Self).map_err(|error| {
            format!("a JSON object with the pipeline's labels and yours is expected, {{\"GPE\": \"Place\"}}: {error}")
        })
    }
}

//! An answer in JSON: the text, and the one choice that it amounts to.

use label_studio_ml::{
    Value,
    anyhow::{self, Context},
    json, serde_json,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct StructuredAnswer {
    pub(crate) answer: String,
    pub(crate) classification: String,
}

/// Returns the `response_format` that holds the model to one of the labels.
pub(crate) fn response_format(labels: &[String]) -> Value {
    json!({
        "type": "json_schema",
        "json_schema": {
            "name": "classified_answer",
            "strict": true,
            "schema": {
                "type": "object",
                "properties": {
                    "answer": { "type": "string" },
                    "classification": { "type": "string", "enum": labels },
                },
                "required": ["answer", "classification"],
                "additionalProperties": false,
            },
        },
    })
}

pub(crate) fn read(text: &str) -> anyhow::Result<StructuredAnswer> {
    serde_json::from_str(text)
        .context("the model did not answer in the JSON that was asked for; unset STRUCTURED_OUTPUT for this one")
}

//! Answers in JSON: what is asked for, and how it is read.

use std::fmt::Write as _;

use label_studio_ml::{Map, Task, Value, anyhow, json, serde_json};

use crate::outputs::{Output, OutputKind, Outputs};

/// Most labels that a schema lists; providers refuse schemas with more.
const MAX_LISTED: usize = 500;
/// Most stars that a schema lists.
const MAX_STARS: u64 = 100;

/// Returns the `response_format` that holds the model to a schema.
pub(crate) fn response_format(outputs: &Outputs<'_>, task: &Task) -> Value {
    let names: Vec<_> = outputs
        .fields
        .iter()
        .map(|field| &*field.control.name)
        .collect();
    let schema = |field: &Output<'_>| (field.control.name.clone(), schema(field, task));
    let properties: Map<_, _> = outputs.fields.iter().map(schema).collect();
    json!({
        "type": "json_schema",
        "json_schema": {
            "name": "labels",
            "strict": true,
            "schema": {
                "type": "object",
                "properties": properties,
                "required": names,
                "additionalProperties": false,
            },
        },
    })
}

fn schema(field: &Output<'_>, task: &Task) -> Value {
    let text = || match field.labels(task) {
        Some(labels) if !labels.is_empty() && labels.len() <= MAX_LISTED => {
            json!({ "type": "string", "enum": labels })
        }
        _ => json!({ "type": "string" }),
    };
    match &field.kind {
        OutputKind::Choices { is_single: true }
        | OutputKind::Taxonomy {
            is_single: true, ..
        } => text(),
        OutputKind::Choices { .. } | OutputKind::Taxonomy { .. } => {
            json!({ "type": "array", "items": text() })
        }
        OutputKind::TextArea => json!({ "type": "string" }),
        OutputKind::Rating { max } if *max <= MAX_STARS => {
            json!({ "type": "integer", "enum": (1..=*max).collect::<Vec<_>>() })
        }
        OutputKind::Rating { .. } => json!({ "type": "integer" }),
        OutputKind::Number { .. } => json!({ "type": "number" }),
    }
}

/// Describes the answer in words, for providers without schemas.
pub(crate) fn instructions(outputs: &Outputs<'_>, task: &Task) -> String {
    let mut text = "\n\nAnswer with nothing but a JSON object that has these fields:".to_owned();
    for field in &outputs.fields {
        let labels = field.labels(task).map(|labels| json!(labels).to_string());
        let labels = labels.unwrap_or_default();
        let name = json!(field.control.name);
        // Writing to a text cannot fail.
        let _ = match &field.kind {
            OutputKind::Choices { is_single: true }
            | OutputKind::Taxonomy {
                is_single: true, ..
            } => {
                write!(text, "\n- {name}: one of {labels}")
            }
            OutputKind::Choices { .. } | OutputKind::Taxonomy { .. } => {
                write!(text, "\n- {name}: a list of any of {labels}")
            }
            OutputKind::TextArea => write!(text, "\n- {name}: a text"),
            OutputKind::Rating { max } => {
                write!(text, "\n- {name}: a whole number from 1 to {max}")
            }
            OutputKind::Number { min, max } => {
                let bound = |word: &str, bound: &Option<f64>| {
                    bound.map_or(String::new(), |bound| format!(" {word} {bound}"))
                };
                let (from, to) = (bound("from", min), bound("to", max));
                write!(text, "\n- {name}: a number{from}{to}")
            }
        };
    }
    text
}

/// Reads an answer, also one that stands between other text or in a code block.
pub(crate) fn read(answer: &str) -> anyhow::Result<Map<String, Value>> {
    let whole = serde_json::from_str(answer.trim());
    let inner = || {
        let (start, end) = (answer.find('{')?, answer.rfind('}')?);
        serde_json::from_str(answer.get(start..=end)?).ok()
    };
    Ok(whole.or_else(|error| inner().ok_or(error))?)
}

//! Values of the controls that mark spans of text.

use serde::{Deserialize, Serialize};

use super::reading::optional_natural;

/// A place in a text, an HTML document or a time series: a whole number, another number, or text such as the path of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Position {
    /// A number of characters, of an utterance, or a time.
    Integer(i64),
    /// Seconds, or a time.
    Number(f64),
    /// The path of a node, a date, or the number of an utterance as text.
    Text(String),
}

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self::Integer(position)
    }
}

impl From<f64> for Position {
    fn from(position: f64) -> Self {
        Self::Number(position)
    }
}

impl From<&str> for Position {
    fn from(position: &str) -> Self {
        Self::Text(position.into())
    }
}

/// Value of a `Labels` region on text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelsValue {
    /// First character of the span, counted from 0.
    pub start: Position,
    /// Character after the span.
    pub end: Position,
    /// Labels of the span.
    pub labels: Vec<String>,
}

/// Value of a `HyperTextLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HyperTextLabelsValue {
    /// Path of the text node in which the span starts.
    pub start: Position,
    /// Path of the text node in which the span ends.
    pub end: Position,
    /// First character in the first text node.
    #[serde(default, deserialize_with = "optional_natural")]
    pub start_offset: Option<u64>,
    /// Character after the span in the last text node.
    #[serde(default, deserialize_with = "optional_natural")]
    pub end_offset: Option<u64>,
    /// Labels of the span.
    #[serde(rename = "hypertextlabels")]
    pub hypertextlabels: Vec<String>,
}

/// Value of a `ParagraphLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParagraphLabelsValue {
    /// Number of the utterance in which the span starts, counted from 0.
    pub start: Position,
    /// Number of the utterance in which the span ends.
    pub end: Position,
    /// First character in the first utterance.
    #[serde(default, deserialize_with = "optional_natural")]
    pub start_offset: Option<u64>,
    /// Character after the span in the last utterance.
    #[serde(default, deserialize_with = "optional_natural")]
    pub end_offset: Option<u64>,
    /// Labels of the span.
    #[serde(rename = "paragraphlabels")]
    pub paragraphlabels: Vec<String>,
}

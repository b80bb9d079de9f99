//! Values of the controls that answer a question about the whole object.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reading::{natural, number, optional_integer};

/// Value of a `Choices` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoicesValue {
    /// The selected choices.
    pub choices: Vec<String>,
}

/// Value of a `TextArea` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextAreaValue {
    /// The texts, one per entry of the area.
    pub text: Vec<String>,
}

/// Value of a `Taxonomy` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxonomyValue {
    /// The selected items, each as its path from the root.
    pub taxonomy: Vec<Vec<String>>,
}

/// Value of a `Rating` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingValue {
    /// Number of stars.
    #[serde(deserialize_with = "natural")]
    pub rating: u64,
}

/// Value of a `Number` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberValue {
    /// The number.
    #[serde(deserialize_with = "number")]
    pub number: f64,
}

/// Value of a `DateTime` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateTimeValue {
    /// Date and time as text.
    pub datetime: String,
}

/// Value of a `Pairwise` region, which points at its own control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairwiseValue {
    /// The better side: `left` or `right`.
    pub selected: String,
}

/// Value of a `Ranker` region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankerValue {
    /// Ranked items by bucket; without buckets by the control's name.
    pub ranker: IndexMap<String, Vec<String>>,
}

/// Value of a `ChatMessage` region, which points at its own control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessageValue {
    /// The message.
    pub chatmessage: ChatMessage,
}

/// A message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatMessage {
    /// Who speaks, such as `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
    /// When, in milliseconds since 1970.
    #[serde(default, deserialize_with = "optional_integer")]
    pub created_at: Option<i64>,
}

/// Value of a `ReactCode` region, which points at its own control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactCodeValue {
    /// Whatever the author's screen puts out.
    pub reactcode: Map<String, Value>,
}

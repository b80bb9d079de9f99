//! What an annotator submitted for a task.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ResultEntry;

/// What an annotator submitted for a task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Annotation {
    /// Label Studio's number of the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// Regions and relations.
    #[serde(default, deserialize_with = "null_as_default")]
    pub result: Vec<ResultEntry>,
    /// Whether the annotator skipped the task.
    #[serde(default, deserialize_with = "null_as_default")]
    pub was_cancelled: bool,
    /// Whether the annotation is ground truth.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ground_truth: bool,
    /// Fields that the SDK does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Annotation {
    /// Returns whether the annotator skipped the task, under either of the names in use.
    pub fn is_skipped(&self) -> bool {
        self.was_cancelled || self.extra.get("skipped").and_then(Value::as_bool) == Some(true)
    }
}

pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

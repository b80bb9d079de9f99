//! The sample task that a label config may carry in a comment.

use serde_json::{Map, Value};

use super::LabelConfig;

/// A task that the author of a label config left in a comment of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleTask {
    /// Data of the task; `None` when the comment holds only annotations or predictions.
    pub data: Option<Value>,
    /// Annotations of the task.
    pub annotations: Option<Value>,
    /// Predictions for the task.
    pub predictions: Option<Value>,
}

impl LabelConfig {
    /// Returns the task in the first comment that starts with `<!-- {` (or else `<!--{`), if it is JSON.
    pub fn sample_task(&self) -> Option<SampleTask> {
        let text = self.text();
        let start = text.find("<!-- {").or_else(|| text.find("<!--{"))? + OPEN.len();
        let (comment, _) = text[start..].split_once("-->")?;
        let mut body: Map<String, Value> = serde_json::from_str(comment).ok()?;
        let (annotations, predictions) = (body.remove("annotations"), body.remove("predictions"));
        let is_bare = annotations.is_none() && predictions.is_none() && !body.contains_key("data");
        Some(SampleTask {
            data: if is_bare {
                Some(Value::Object(body))
            } else {
                body.remove("data")
            },
            annotations,
            predictions,
        })
    }
}

const OPEN: &str = "<!--";

//! The audio of a task that an object tag plays.

use label_studio_sdk::{Object, Task};
use serde_json::Value;

/// Field that Label Studio stores a file under when the import names none.
const UNDEFINED_FIELD: &str = "$undefined$";

/// Why a task has no audio for an object tag.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskAudioError {
    /// The field is missing or empty.
    #[error("the task has no audio: its field '{field}' is missing or empty; it has {known}")]
    Missing {
        /// Field of the task's data.
        field: String,
        /// The fields that there are.
        known: String,
    },
    /// The field holds no URL.
    #[error("the task has no audio: its field '{field}' holds {found}, not an address")]
    NotAUrl {
        /// Field of the task's data.
        field: String,
        /// The value, shortened.
        found: String,
    },
}

/// Returns the URL of the audio that an object tag plays of a task.
pub fn task_audio<'a>(object: &Object, task: &'a Task) -> Result<&'a str, TaskAudioError> {
    let filled = |name: &str| {
        let value = task.value(name)?;
        let is_blank = value.as_str().is_some_and(|text| text.trim().is_empty());
        (!value.is_null() && !is_blank).then_some(value)
    };
    let field = &object.value_name;
    match filled(field).or_else(|| filled(UNDEFINED_FIELD)) {
        Some(Value::String(url)) => Ok(url),
        Some(other) => Err(TaskAudioError::NotAUrl {
            field: field.clone(),
            found: other.to_string().chars().take(40).collect(),
        }),
        None => {
            let known: Vec<_> = task.data.keys().map(String::as_str).collect();
            Err(TaskAudioError::Missing {
                field: field.clone(),
                known: if known.is_empty() {
                    "no fields".to_owned()
                } else {
                    format!("only {}", known.join(", "))
                },
            })
        }
    }
}

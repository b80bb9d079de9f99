//! The prompt of a project, and the data field that a question is about.

use label_studio_sdk::{LabelConfig, LabelConfigError, Object, Pair, Task};
use serde_json::Value;

/// Field of tasks that were imported before the project had a label config.
const UNDEFINED_FIELD: &str = "$undefined$";

/// Why a question cannot be asked about a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskFieldError {
    /// The task lacks the field.
    #[error("the task has no data field {field:?}, which <{tag} name=\"{name}\"> shows")]
    Missing {
        /// Name of the field.
        field: String,
        /// Kind of the object tag.
        tag: String,
        /// Name of the object tag.
        name: String,
    },
    /// The field is null.
    #[error("data field {field:?} of the task is null; <{tag} name=\"{name}\"> shows it")]
    Null {
        /// Name of the field.
        field: String,
        /// Kind of the object tag.
        tag: String,
        /// Name of the object tag.
        name: String,
    },
}

/// Returns the value that an object tag shows of a task, which a question is about. Tasks that were imported before the
/// project had a label config have it in the field `$undefined$`.
///
/// # Errors
/// When the task has no value: a question about it would be about nothing, and would be paid for all the same.
pub fn shown_value<'t>(task: &'t Task, object: &Object) -> Result<&'t Value, TaskFieldError> {
    let value = task.value(&object.value_name);
    if let Some(value) = value.filter(|value| !value.is_null()) {
        return Ok(value);
    }
    let undefined = task.data.get(UNDEFINED_FIELD);
    if let Some(undefined) = undefined.filter(|value| !value.is_null()) {
        return Ok(undefined);
    }
    let (field, tag, name) = (
        object.value_name.clone(),
        object.tag.clone(),
        object.name.clone(),
    );
    Err(match value {
        Some(_) => TaskFieldError::Null { field, tag, name },
        None => TaskFieldError::Missing { field, tag, name },
    })
}

/// Returns the text of an object tag whose value is a constant, not the name of a data field.
pub fn constant_text(object: &Object) -> Option<&str> {
    let text = object.value.as_deref()?;
    (!text.is_empty() && !text.contains('$')).then_some(text)
}

/// Finds the first `TextArea` whose name starts with `prefix`, whatever the case of its letters, on an object of one of
/// the kinds of `objects`.
pub fn prompt_pair<'a>(
    label_config: &'a LabelConfig,
    prefix: &str,
    objects: &[&str],
) -> Result<Pair<'a>, LabelConfigError> {
    let prefix = prefix.to_lowercase();
    label_config.first_pair_where(
        "TextArea",
        objects,
        |control| control.name.to_lowercase().starts_with(&prefix),
        |_| true,
    )
}

/// Returns the lines of a project's prompt, which the control `control` holds: those just typed, where `typed` has the
/// regions of an interactive context, else the prompt that `stored` returns for the control, else the default one.
pub fn prompt_lines<E>(
    control: &str,
    typed: Option<&[Value]>,
    default: Option<&str>,
    stored: impl FnOnce(&str) -> Result<Option<String>, E>,
) -> Result<Option<Vec<String>>, E> {
    if let Some(regions) = typed {
        let lines = text_area_lines(regions, control);
        if lines.is_none() {
            tracing::warn!(
                control,
                "the interactive context holds no prompt, so nothing is asked"
            );
        }
        return Ok(lines);
    }
    let stored = stored(control)?.filter(|prompt| !prompt.is_empty());
    let prompt = stored.or_else(|| default.map(str::to_owned));
    Ok(prompt.map(|prompt| vec![prompt]))
}

/// Returns the prompt that an annotation holds; `None` without one, which says nothing about the next prompt.
pub fn typed_prompt(regions: &[Value], control: &str) -> Option<String> {
    let prompt = text_area_lines(regions, control)?.join("\n");
    Some(prompt).filter(|prompt| !prompt.is_empty())
}

/// Returns the texts of the first region of a `TextArea`; `None` when there are none.
pub fn text_area_lines(regions: &[Value], control_name: &str) -> Option<Vec<String>> {
    let region = regions
        .iter()
        .find(|region| region["from_name"] == control_name)?;
    let lines: Vec<_> = match &region["value"]["text"] {
        Value::String(line) => vec![line.clone()],
        Value::Array(lines) => lines
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    Some(lines).filter(|lines| !lines.is_empty())
}

//! The text of a task.

use std::fs;

use label_studio_ml::{
    Object, Project, Task, Value,
    anyhow::{self, Context, bail},
    sdk::media::needs_preload,
};

/// Name of the data field when an import has none.
const UNDEFINED_FIELD: &str = "$undefined$";

/// Returns the text of a task, fetched when the task holds the address of a text file.
pub(crate) fn text_of(project: &Project, object: &Object, task: &Task) -> anyhow::Result<String> {
    let name = object.value_name.as_str();
    let field = |name: &str| task.value(name).filter(|value| !value.is_null());
    let text = match field(name).or_else(|| field(UNDEFINED_FIELD)) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ (Value::Number(_) | Value::Bool(_))) => return Ok(number.to_string()),
        Some(_) => bail!("data field {name:?} of the task is not a text"),
        None => bail!("the task has no text in its data field {name:?}"),
    };
    let is_address = object.value_type.as_deref() == Some("url") || needs_preload(&text);
    if text.is_empty() || !is_address {
        return Ok(text);
    }
    let path = project.local_path(task, &text)?;
    fs::read_to_string(&path).with_context(|| format!("cannot read {} as text", path.display()))
}

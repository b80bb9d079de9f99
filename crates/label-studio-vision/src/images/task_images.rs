//! The images of a task that an object tag shows.

use label_studio_sdk::{Object, Region, Task};
use serde_json::{Value, json};

/// Field that Label Studio stores a file under when the import names none.
const UNDEFINED_FIELD: &str = "$undefined$";

/// An image of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskImage<'a> {
    /// Its URL.
    pub url: &'a str,
    /// Its position in the list, from 0, for an `Image` with a `valueList`; regions carry it as
    /// `item_index`.
    pub item: Option<usize>,
}

/// Why a task has no image for an object tag.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskImageError {
    /// The field is missing or empty.
    #[error("Can't load path using key '{field}' from task{task}: its data has {known}")]
    Missing {
        /// Field of the task's data.
        field: String,
        /// The task's number, with a blank before it.
        task: String,
        /// The fields that there are.
        known: String,
    },
    /// The field holds no URL.
    #[error("Path should be a string, but got {found} in the data field '{field}'")]
    NotAUrl {
        /// Field of the task's data.
        field: String,
        /// Kind of the value.
        found: &'static str,
    },
}

/// Returns the images that an object tag shows of a task: one, or those of a list for an `Image`
/// with a `valueList`.
pub fn task_images<'a>(
    object: &Object,
    task: &'a Task,
) -> Result<Vec<TaskImage<'a>>, TaskImageError> {
    let field = object.value_name.as_str();
    let filled = |name: &str| {
        let value = task.value(name)?;
        let is_blank = |text: &str| text.trim().is_empty();
        let is_empty = value.is_null() || value.as_str().is_some_and(is_blank);
        (!is_empty).then_some(value)
    };
    let value = filled(field).or_else(|| filled(UNDEFINED_FIELD));
    let value = value.ok_or_else(|| {
        let known: Vec<_> = task.data.keys().map(String::as_str).collect();
        TaskImageError::Missing {
            field: field.to_owned(),
            task: task.id.map(|id| format!(" {id}")).unwrap_or_default(),
            known: if known.is_empty() {
                "no fields".to_owned()
            } else {
                format!("only {}", known.join(", "))
            },
        }
    })?;
    let not_a_url = |value: &Value| TaskImageError::NotAUrl {
        field: field.to_owned(),
        found: match value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        },
    };
    match value {
        Value::String(url) => Ok(vec![TaskImage {
            url,
            item: object.is_image_list.then_some(0),
        }]),
        Value::Array(urls) if object.is_image_list => {
            let urls = urls.iter().enumerate();
            urls.map(|(idx, url)| {
                Ok(TaskImage {
                    url: url.as_str().ok_or_else(|| not_a_url(url))?,
                    item: Some(idx),
                })
            })
            .collect()
        }
        other => Err(not_a_url(other)),
    }
}

/// Adds the position of an image in its list to regions on it, so that Label Studio shows them
/// there.
pub fn with_item_index(mut regions: Vec<Region>, item: Option<usize>) -> Vec<Region> {
    if let Some(item) = item {
        for region in &mut regions {
            region.extra.insert("item_index".to_owned(), json!(item));
        }
    }
    regions
}

//! Where a task's image is.

use anyhow::Context;
use label_studio_sdk::Object;
use serde_json::{Map, Value};

/// Key of the task data that Label Studio uses before a project has a label config.
const UNDEFINED: &str = "$undefined$";

/// Returns the address of the image that an object tag shows of a task's data; the error names what is missing.
pub fn image_address<'a>(image: &Object, data: &'a Map<String, Value>) -> anyhow::Result<&'a str> {
    let key = &image.value_name;
    let value = image.value_in(data).or_else(|| data.get(key));
    let value = value.or_else(|| data.get(UNDEFINED));
    let address = value.and_then(Value::as_str);
    let address = address.filter(|address| !address.trim().is_empty());
    address.with_context(|| format!("the task's data has no image address under {key:?}"))
}

//! Where a project's label config has the prompt, and what was typed there.

use label_studio_sdk::{LabelConfig, LabelConfigError, Pair};
use serde_json::Value;

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

/// Returns what the first region of a `TextArea` holds: its texts, nothing when there are none.
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

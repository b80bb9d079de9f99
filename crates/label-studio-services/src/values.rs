//! How the values of flags are read.

use std::time::Duration;

use serde_json::{Map, Value};

/// Reads a number of seconds above 0, with or without a fraction: a `value_parser` for flags.
///
/// ```
/// assert!(label_studio_services::parse_seconds("0").is_err());
/// ```
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<f64>().ok();
    seconds
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "say a number of seconds above 0".to_owned())
}

/// Reads a JSON object, nothing as one without fields: a `value_parser` for flags.
pub fn parse_object(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| format!("say a JSON object: {error}"))
}

/// Returns the first text that is more than white space, trimmed: for a flag and its older names.
pub fn first_filled<'a>(texts: impl IntoIterator<Item = &'a Option<String>>) -> Option<&'a str> {
    let mut texts = texts.into_iter().flatten().map(|text| text.trim());
    texts.find(|text| !text.is_empty())
}

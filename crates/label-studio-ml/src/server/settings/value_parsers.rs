//! Parsers for the values of flags and environment variables.

use std::{fmt::Display, ops::RangeInclusive, path::PathBuf, str::FromStr};

use clap::{
    ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use serde_json::Value;

/// Returns the first text that is set. An empty one counts as not set, since compose files pass
/// `NAME: ${NAME:-}`.
pub(crate) fn first_set<const N: usize>(texts: [&Option<String>; N]) -> Option<&str> {
    texts
        .into_iter()
        .flatten()
        .map(|text| text.trim())
        .find(|text| !text.is_empty())
}

/// Reads a web address, which may be empty.
pub(crate) fn web_address(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_web = |url: url::Url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty()
    };
    if text.is_empty() || url::Url::parse(text).is_ok_and(is_web) {
        return Ok(text.to_owned());
    }
    Err("expected a web address with http:// or https://, without user and password")
}

/// Reads a path, which may be empty.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Reads a number within a range; an empty text is the default.
pub(crate) fn number<T>(
    default: T,
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Copy + Display + Send + Sync + 'static,
{
    move |text| {
        if text.trim().is_empty() {
            return Ok(default);
        }
        let number = text.trim().parse().ok();
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                format!(
                    "expected a number from {} to {}",
                    range.start(),
                    range.end()
                )
            })
    }
}

pub(crate) fn choice<T: ValueEnum>(text: &str, default: T) -> Option<T> {
    match text.trim() {
        "" => Some(default),
        text => T::from_str(text, true).ok(),
    }
}

pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "not" | "off" | "0" | "" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

pub(crate) fn key_value(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), guess_type(value)))
}

/// Reads a value as the Python original does: whole numbers, true and false, other numbers, else
/// text.
fn guess_type(text: &str) -> Value {
    match text {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        _ => {
            let number = text.parse::<i64>().map(Value::from);
            let number = number
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .ok();
            // JSON has no infinity and no NaN.
            number
                .filter(|number| !number.is_null())
                .unwrap_or_else(|| Value::from(text))
        }
    }
}

//! How fields of values are read: as tolerant about the form of numbers and truth values as Label Studio's own SDK, strict
//! about their bounds.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::Value;

/// Largest rotation in degrees that the SDK accepts.
const FULL_TURN: f64 = 360.0;
/// Largest integer whose neighbours an `f64` can still tell apart.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a number, which may be text or a truth value.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        _ => None,
    };
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| D::Error::custom(format_args!("{value} is not a number")))
}

/// Reads a number that may be missing or null.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    number(value).map(Some).map_err(D::Error::custom)
}

/// Reads a number, null as 0.
pub(super) fn number_or_zero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(optional_number(deserializer)?.unwrap_or_default())
}

/// Reads a number of at most 100.
pub(super) fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    at_most(100.0, number(deserializer)?)
}

/// Reads a number of at most 50.
pub(super) fn radius<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    at_most(50.0, number(deserializer)?)
}

/// Reads a number of at most 360, null as 0.
pub(super) fn degrees<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    at_most(FULL_TURN, number_or_zero(deserializer)?)
}

/// Reads pairs of numbers of at most 100.
pub(super) fn points<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<[f64; 2]>, D::Error> {
    let points = Vec::<[Value; 2]>::deserialize(deserializer)?;
    let read = |value| percent(value).map_err(D::Error::custom);
    points
        .into_iter()
        .map(|[x, y]| Ok([read(x)?, read(y)?]))
        .collect()
}

/// Reads a whole number, which may be written with a fraction of zero, as text or as a truth value.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if let Some(integer) = value.as_i64() {
        return Ok(integer);
    }
    let whole = number(&value)
        .ok()
        .filter(|number| number.fract() == 0.0 && number.abs() <= MAX_EXACT);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the number is whole and in range"
    )]
    let whole = whole.map(|number| number as i64);
    whole.ok_or_else(|| D::Error::custom(format_args!("{value} is not a whole number")))
}

/// Reads a whole number that may be missing or null.
pub(super) fn optional_integer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    integer(value).map(Some).map_err(D::Error::custom)
}

/// Reads a whole number that is not negative.
pub(super) fn natural<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let integer = integer(deserializer)?;
    u64::try_from(integer).map_err(|_| D::Error::custom(format_args!("{integer} is negative")))
}

/// Reads a whole number that is not negative and may be missing or null.
pub(super) fn optional_natural<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    natural(value).map(Some).map_err(D::Error::custom)
}

/// Reads a list that holds something.
pub(super) fn non_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    filled(Vec::deserialize(deserializer)?)
}

/// Reads a list of bytes that holds something.
pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    filled(Vec::<Byte>::deserialize(deserializer)?)
        .map(|bytes| bytes.into_iter().map(|byte| byte.0).collect())
}

#[derive(Deserialize)]
struct Byte(#[serde(deserialize_with = "byte")] u8);

fn byte<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = integer(deserializer)?;
    u8::try_from(number).map_err(|_| D::Error::custom(format_args!("{number} is not a byte")))
}

fn filled<T, E: Error>(items: Vec<T>) -> Result<Vec<T>, E> {
    if items.is_empty() {
        return Err(E::custom("the list is empty"));
    }
    Ok(items)
}

/// Reads a truth value, which may be 0, 1 or a word for it.
pub(super) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    optional_truth(&value)?.ok_or_else(|| D::Error::custom("null is not a truth value"))
}

/// Reads a truth value, null as false.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(optional_truth(&Value::deserialize(deserializer)?)?.unwrap_or_default())
}

/// Reads a truth value, null as true.
pub(super) fn flag_or_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(optional_truth(&Value::deserialize(deserializer)?)?.unwrap_or(true))
}

fn optional_truth<E: Error>(value: &Value) -> Result<Option<bool>, E> {
    let is_one_of =
        |text: &str, words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match value {
        Value::Null => Ok(None),
        Value::Bool(truth) => Ok(Some(*truth)),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok(Some(false)),
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok(Some(true)),
        Value::String(text) if is_one_of(text, FALSE) => Ok(Some(false)),
        Value::String(text) if is_one_of(text, TRUE) => Ok(Some(true)),
        _ => Err(E::custom(format_args!("{value} is not a truth value"))),
    }
}

/// Words that Label Studio's SDK takes for truth values.
const FALSE: [&str; 6] = ["0", "off", "f", "false", "n", "no"];
const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];

/// The default of a flag that is set unless the value says otherwise.
pub(super) fn set() -> bool {
    true
}

fn at_most<E: Error>(bound: f64, number: f64) -> Result<f64, E> {
    if number > bound {
        return Err(E::custom(format_args!("{number} is more than {bound}")));
    }
    Ok(number)
}

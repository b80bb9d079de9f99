//! Values as Python's `repr` and `str` write them.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use serde_json::Value;

use super::number::JsonNumber;

/// Writes a value as Python's `str` does: text as it is, all else as [`repr`].
pub fn str(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        value => Cow::Owned(repr(value)),
    }
}

/// Writes a value as Python's `repr` does: `None`, `True`, `['a', "b's"]`, `{'a': 1}`.
///
/// Characters that are not ASCII stay as they are, though Python escapes the unprintable ones among them.
pub fn repr(value: &Value) -> String {
    Repr(value, &[]).to_string()
}

/// Displays a value like Python's `str`.
pub(crate) struct Str<'a>(pub(crate) &'a Value);

/// Displays a value like Python's `repr`, an object's keys in the given order first.
pub(crate) struct Repr<'a>(pub(crate) &'a Value, pub(crate) &'a [&'a str]);

/// Displays a list of texts like Python's `repr`, with dots in place of all after the first hundred.
pub(crate) struct ReprList<'a, S>(pub(crate) &'a [S]);

/// Displays text like Python's `repr`.
struct Quoted<'a>(&'a str);

/// Returns the name of the Python type that a JSON value becomes.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

impl Display for Str<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => f.write_str(text),
            value => Repr(value, &[]).fmt(f),
        }
    }
}

impl Display for Repr<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("None"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Number(number) => JsonNumber(number).fmt(f),
            Value::String(text) => Quoted(text).fmt(f),
            Value::Array(items) => {
                f.write_str("[")?;
                for (idx, item) in items.iter().enumerate() {
                    write!(f, "{}{}", separator(idx), Repr(item, self.1))?;
                }
                f.write_str("]")
            }
            Value::Object(fields) => {
                let known = self.1.iter().filter_map(|name| fields.get_key_value(*name));
                let others = fields
                    .iter()
                    .filter(|(name, _)| !self.1.contains(&name.as_str()));
                f.write_str("{")?;
                for (idx, (name, value)) in known.chain(others).enumerate() {
                    write!(
                        f,
                        "{}{}: {}",
                        separator(idx),
                        Quoted(name),
                        Repr(value, self.1)
                    )?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<S: AsRef<str>> Display for ReprList<'_, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (idx, item) in self.0.iter().take(MAX_ITEMS).enumerate() {
            write!(f, "{}{}", separator(idx), Quoted(item.as_ref()))?;
        }
        if self.0.len() > MAX_ITEMS {
            f.write_str(", ...")?;
        }
        f.write_str("]")
    }
}

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') {
            '"'
        } else {
            '\''
        };
        write!(f, "{quote}")?;
        for c in self.0.chars() {
            match c {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\\' => f.write_str("\\\\")?,
                c if c == quote => write!(f, "\\{c}")?,
                c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        write!(f, "{quote}")
    }
}

fn separator(idx: usize) -> &'static str {
    if idx == 0 { "" } else { ", " }
}

/// Items that a list in a message shows.
const MAX_ITEMS: usize = 100;

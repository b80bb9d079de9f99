//! JSON as Python prints it, for messages that must read like those of Label Studio.

use std::fmt::{self, Display, Formatter};

use serde_json::Value;

/// Prints like Python's `str`: text as it is, all else like `repr`.
pub(super) struct Str<'a>(pub(super) &'a Value);

/// Prints like Python's `repr`, an object's keys in the given order first.
pub(super) struct Repr<'a>(pub(super) &'a Value, pub(super) &'a [&'a str]);

/// Prints a list of texts like Python's `repr`, and dots in place of all after the first hundred.
pub(super) struct ReprList<'a, S>(pub(super) &'a [S]);

/// Prints text like Python's `repr`.
struct Quoted<'a>(&'a str);

/// Returns the name of the Python type that a JSON value becomes.
pub(super) fn type_name(value: &Value) -> &'static str {
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

/// Prints a number like Python's `float`.
pub(super) fn float(number: f64) -> String {
    if number.is_finite() {
        Value::from(number).to_string()
    } else {
        number.to_string().to_lowercase()
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
            Value::Number(number) => number.fmt(f),
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

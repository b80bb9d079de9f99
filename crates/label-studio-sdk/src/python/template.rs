//! Templates of prompts, in the syntax of Python's `str.format`.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::Value;

/// Replaces `{name}` by what `field` returns for it.
///
/// Where Python's `str.format` would succeed, the result is the same: `{{` and `}}` stand for single braces. Where it
/// would fail (a field that `field` does not know, a stray brace, an expression) only the known fields are replaced and
/// every other brace stays as it is, so that JSON in a prompt needs no care. What is put in is not looked at again.
///
/// ```
/// use label_studio_services::fill_template;
///
/// let field = |name: &str| (name == "text").then(|| "{labels}".into());
/// assert_eq!(fill_template("Read {text}", field), "Read {labels}");
/// assert_eq!(fill_template("{{\"text\": {text}}}", field), "{\"text\": {labels}}");
/// assert_eq!(fill_template("{text} as {\"n\": {1}}", field), "{labels} as {\"n\": {1}}");
/// ```
pub fn fill_template<'a>(template: &str, field: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    formatted(template, &field).unwrap_or_else(|| with_known_fields(template, &field))
}

/// Formats as Python does; `None` where Python would fail.
fn formatted<'a>(template: &str, field: &impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, braces) = rest.split_at(at);
        text.push_str(before);
        if let Some(after) = braces
            .strip_prefix("{{")
            .or_else(|| braces.strip_prefix("}}"))
        {
            text.push_str(&braces[..1]);
            rest = after;
            continue;
        }
        let (name, after) = braces.strip_prefix('{')?.split_once('}')?;
        text.push_str(&field(name)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn with_known_fields<'a>(template: &str, field: &impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        let inside = &rest[at + 1..];
        let end = inside.find(['{', '}']);
        let known = end
            .filter(|&end| inside[end..].starts_with('}'))
            .and_then(|end| Some((field(&inside[..end])?, &inside[end + 1..])));
        if let Some((value, after)) = known {
            text.push_str(&value);
            rest = after;
        } else {
            text.push('{');
            rest = inside;
        }
    }
    text.push_str(rest);
    text
}

/// Writes a value as Python's `str` does: a text as it is, everything else as [`python_repr`].
pub fn python_str(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        value => Cow::Owned(python_repr(value)),
    }
}

/// Writes a value as Python's `repr` does: `None`, `True`, `['a', "b's"]`, `{'a': 1}`.
///
/// Characters that are not ASCII stay as they are, though Python escapes the unprintable ones among them.
pub fn python_repr(value: &Value) -> String {
    let mut text = String::new();
    write_repr(&mut text, value);
    text
}

fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (idx, item) in items.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_repr(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (idx, (name, field)) in fields.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_text(out, name);
                out.push_str(": ");
                write_repr(out, field);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char == quote => {
                out.push('\\');
                out.push(char);
            }
            char if char.is_ascii_control() => {
                // Writing to a text cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    out.push(quote);
}

/// Writes a value as Python's `json.dumps` does: a space after `,` and `:`, everything that is not printable ASCII as `\u`
/// escapes.
///
/// ```
/// use label_studio_services::python_json;
/// use serde_json::json;
///
/// assert_eq!(python_json(&json!([{ "b": "ü", "a": 1.5 }])), r#"[{"b": "\u00fc", "a": 1.5}]"#);
/// ```
pub fn python_json(value: &Value) -> String {
    let mut json = String::new();
    write_json(&mut json, value);
    json
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (idx, item) in items.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_json(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (idx, (name, field)) in fields.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_json_text(out, name);
                out.push_str(": ");
                write_json(out, field);
            }
            out.push('}');
        }
        Value::String(text) => write_json_text(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn write_json_text(out: &mut String, text: &str) {
    out.push('"');
    let mut units = [0; 2];
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(char),
            _ => {
                for unit in char.encode_utf16(&mut units) {
                    // Writing to a text cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

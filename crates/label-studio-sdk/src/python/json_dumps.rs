//! JSON as Python's `json.dumps` writes it.

use std::fmt::Write as _;

use serde_json::Value;

use super::number::JsonNumber;

/// Writes a value as Python's `json.dumps` does: a space after `,` and `:`, everything that is not printable ASCII as `\u`
/// escapes.
///
/// ```
/// use label_studio_sdk::python::json_dumps;
/// use serde_json::json;
///
/// assert_eq!(json_dumps(&json!([{ "a": "ü" }, 1.5])), r#"[{"a": "\u00fc"}, 1.5]"#);
/// ```
pub fn json_dumps(value: &Value) -> String {
    let mut json = String::new();
    write_value(&mut json, value);
    json
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (idx, item) in items.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (idx, (name, field)) in fields.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_text(out, name);
                out.push_str(": ");
                write_value(out, field);
            }
            out.push('}');
        }
        Value::String(text) => write_text(out, text),
        Value::Number(number) => push(out, format_args!("{}", JsonNumber(number))),
        Value::Null | Value::Bool(_) => push(out, format_args!("{value}")),
    }
}

fn write_text(out: &mut String, text: &str) {
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
                    push(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}

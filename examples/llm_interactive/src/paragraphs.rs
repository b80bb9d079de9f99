//! Dialogues as JSON, in the form that Python's `json.dumps` gives it.

use std::fmt::Write as _;

use label_studio_ml::{Object, Value};

/// Writes what a `Paragraphs` tag shows: everything that is not ASCII as `\u` escapes, a space after `,` and `:`.
///
/// Who speaks comes first in each paragraph and what is said second, since task data has no order of its own.
pub(crate) fn dialogue_json(object: &Object, dialogue: &Value) -> String {
    let keys = [
        object.attr("nameKey").unwrap_or("author"),
        object.attr("textKey").unwrap_or("text"),
    ];
    let mut json = String::new();
    write_value(&mut json, dialogue, keys);
    json
}

fn write_value(out: &mut String, value: &Value, first_keys: [&str; 2]) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (idx, item) in items.iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_value(out, item, first_keys);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let place = |name: &str| first_keys.iter().position(|key| *key == name).unwrap_or(2);
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| place(name));
            out.push('{');
            for (idx, (name, field)) in fields.into_iter().enumerate() {
                out.push_str(if idx == 0 { "" } else { ", " });
                write_text(out, name);
                out.push_str(": ");
                write_value(out, field, first_keys);
            }
            out.push('}');
        }
        Value::String(text) => write_text(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
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
                    // Writing to a text cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

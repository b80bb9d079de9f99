//! Dialogues as JSON, in the form that Python's `json.dumps` gives it.

use std::fmt::Write as _;

use label_studio_ml::Value;

/// Writes what a `Paragraphs` tag shows: everything that is not ASCII as `\u` escapes, a space after `,` and `:`.
pub(crate) fn dialogue_json(dialogue: &Value) -> String {
    let mut json = String::new();
    write_value(&mut json, dialogue);
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

//! Names in a label config that lead into a task's data.

use serde_json::{Map, Value};

/// Returns what a name such as `meta.title` or `items[0].text` means. A field of exactly this name comes first, as in
/// Label Studio's screen.
pub(crate) fn value_at<'a>(data: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = data.get(name) {
        return Some(value);
    }
    if !name.contains(['.', '[']) {
        return None;
    }
    let mut steps = name
        .split(['.', '['])
        .map(|step| step.strip_suffix(']').unwrap_or(step))
        .filter(|step| !step.is_empty())
        .map(unquoted);
    let first = data.get(steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Takes the quotes off a step such as `['first name']`.
fn unquoted(step: &str) -> &str {
    let without = |quote| step.strip_prefix(quote)?.strip_suffix(quote);
    without('"').or_else(|| without('\'')).unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_lead_into_objects_and_lists() {
        let data = json!({
            "meta": { "title": "T", "first name": "F", "n": null },
            "items": [{ "text": "a" }, { "text": "b" }, ["x"]],
            "a.b": "flat",
            "a": { "b": "nested", "c": "C" },
            "list[0]": "flat too",
            "list": ["nested"],
        });
        let data = data.as_object().unwrap();
        for (name, expected) in [
            ("meta.title", Some(json!("T"))),
            ("meta['first name']", Some(json!("F"))),
            ("meta[\"title\"]", Some(json!("T"))),
            ("meta.n", Some(json!(null))),
            ("items[1].text", Some(json!("b"))),
            ("items.1.text", Some(json!("b"))),
            ("items[2][0]", Some(json!("x"))),
            ("a.b", Some(json!("flat"))),
            ("a.c", Some(json!("C"))),
            ("list[0]", Some(json!("flat too"))),
            ("items[3].text", None),
            ("items[-1]", None),
            ("items.text", None),
            ("meta.title.x", None),
            ("missing", None),
            ("missing.title", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(value_at(data, name), expected.as_ref(), "{name}");
        }
    }
}

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
    let mut steps = steps(name);
    let first = data.get(steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Returns a task's data with another value where a name of the label config leads, such as
/// `meta.title` or `items[0].text`; in a field of exactly this name where it leads nowhere.
///
/// ```
/// use label_studio_sdk::with_value_at;
/// use serde_json::json;
///
/// let data = json!({ "pages": [{ "text": "" }] });
/// let data = with_value_at(data.as_object().unwrap().clone(), "pages[0].text", "hello".into());
/// assert_eq!(json!(data), json!({ "pages": [{ "text": "hello" }] }));
/// ```
pub fn with_value_at(mut data: Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    if !data.contains_key(name)
        && let Some(place) = place_at(&mut data, name)
    {
        *place = value;
        return data;
    }
    data.insert(name.to_owned(), value);
    data
}

/// Returns the place where a path leads; its last field need not be there yet.
fn place_at<'a>(data: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Value> {
    let mut steps: Vec<_> = steps(name).collect();
    let (last, first) = (steps.pop()?, steps.first()?);
    let mut place = data.get_mut(*first)?;
    for step in &steps[1..] {
        place = match place {
            Value::Object(fields) => fields.get_mut(*step)?,
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    match place {
        Value::Object(fields) => Some(fields.entry(last).or_insert(Value::Null)),
        Value::Array(items) => items.get_mut(last.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Returns the fields and positions that a name leads through.
fn steps(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', '['])
        .map(|step| step.strip_suffix(']').unwrap_or(step))
        .filter(|step| !step.is_empty())
        .map(unquoted)
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

    #[test]
    fn values_are_put_where_names_lead() {
        let data =
            json!({ "meta": { "title": "T" }, "items": [{}, "b"], "a.b": 1, "a": { "b": 2 } });
        let data = data.as_object().unwrap();
        for (name, place) in [
            ("meta.title", "/meta/title"),
            ("meta.new", "/meta/new"),
            ("items[0].text", "/items/0/text"),
            ("items[1]", "/items/1"),
            ("a.b", "/a.b"),
            ("a.c", "/a/c"),
            ("new", "/new"),
            ("items[2]", "/items[2]"),
            ("items[1].text", "/items[1].text"),
            ("new.text", "/new.text"),
            ("meta.", "/meta."),
            ("", "/"),
        ] {
            let changed = json!(with_value_at(data.clone(), name, json!("X")));
            assert_eq!(
                changed.pointer(place),
                Some(&json!("X")),
                "{name}: {changed}"
            );
            let read = changed.as_object().unwrap();
            assert_eq!(value_at(read, name), Some(&json!("X")), "{name}");
        }
    }
}

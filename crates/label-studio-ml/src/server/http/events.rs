//! The events of a webhook's body.

use serde_json::{Map, Value, json};

use crate::model::{Action, Event};

/// Copies of the project that the events of one body may hold together, in bytes of JSON.
const MAX_COPIED_BYTES: usize = 64 * 1024 * 1024;

/// Returns the events of a body. Accepting predictions of many tasks at once sends one body with
/// lists of annotations and tasks; it is one event for each annotation.
pub(crate) fn events_of(action: Action, mut payload: Map<String, Value>) -> Vec<Event> {
    if !payload.get("annotation").is_some_and(Value::is_array) {
        let payload = Value::Object(payload);
        return vec![Event { action, payload }];
    }
    let annotations = list(payload.remove("annotation"));
    let tasks = list(payload.remove("task"));
    reduce_project(&mut payload, annotations.len());
    let event = |(idx, annotation): (usize, Value)| {
        let named = annotation.get("task").filter(|id| !id.is_null());
        let of_annotation = tasks.iter().find(|task| task.get("id") == named);
        let task = of_annotation.or_else(|| tasks.get(idx));
        let mut payload = payload.clone();
        payload.insert("task".to_owned(), task.cloned().unwrap_or_default());
        payload.insert("annotation".to_owned(), annotation);
        let payload = Value::Object(payload);
        Event { action, payload }
    };
    annotations.into_iter().enumerate().map(event).collect()
}

/// Leaves the id of the project alone when copies of all of it would need too much memory.
fn reduce_project(payload: &mut Map<String, Value>, n_copies: usize) {
    let project = payload.get("project").unwrap_or(&Value::Null);
    let n_bytes = project.to_string().len();
    if n_bytes.saturating_mul(n_copies) > MAX_COPIED_BYTES {
        let id = project.get("id").cloned().unwrap_or_default();
        payload.insert("project".to_owned(), json!({ "id": id }));
    }
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        Some(item) => vec![item],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads(body: Value) -> Vec<Value> {
        let Value::Object(payload) = body else {
            panic!("the body is an object")
        };
        let events = events_of(Action::AnnotationCreated, payload);
        events.into_iter().map(|event| event.payload).collect()
    }

    #[test]
    fn an_event_of_many_annotations_is_one_event_for_each() {
        let body = json!({
            "project": { "id": 7 },
            "annotation": [{ "id": 1, "task": 12 }, { "id": 2, "task": 11 }],
            "task": [{ "id": 11 }, { "id": 12 }],
        });
        let expected = [
            json!({ "project": { "id": 7 }, "annotation": { "id": 1, "task": 12 }, "task": { "id": 12 } }),
            json!({ "project": { "id": 7 }, "annotation": { "id": 2, "task": 11 }, "task": { "id": 11 } }),
        ];
        assert_eq!(payloads(body), expected);
    }

    #[test]
    fn copies_of_a_large_project_are_not_made() {
        let annotations = vec![json!({ "id": 1 }); 1000];
        let title = "x".repeat(100_000);
        let body = json!({ "project": { "id": 7, "title": title }, "annotation": annotations, "task": [] });
        assert_eq!(payloads(body)[999]["project"], json!({ "id": 7 }));
    }
}

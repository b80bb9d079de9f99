//! The body of a predict request: tasks that are read lazily say the same as the JSON read at once.

#![no_main]

use bytes::Bytes;
use label_studio_sdk::{RawTasks, Task, python::repair_json};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    tasks: RawTasks<'a>,
    params: Option<Map<String, Value>>,
}

// Text, because the server refuses a body that is none before it reads the JSON, and `into_tasks` relies on it.
fuzz_target!(|text: &str| {
    if let Some(repaired) = repair_json(text) {
        assert_eq!(repair_json(&repaired), None, "it is repaired");
        let read = serde_json::from_str::<Value>(text);
        assert!(read.is_err(), "JSON needs no repair");
    }
    let body = Bytes::copy_from_slice(text.as_bytes());
    let tasks = if let Ok(tasks) = Task::parse_list(&body) {
        tasks
    } else if let Ok(request) = serde_json::from_slice::<Body<'_>>(&body) {
        let _ = request
            .params
            .and_then(|mut params| params.remove("context"));
        request.tasks.into_tasks(&body)
    } else {
        return;
    };
    for task in &tasks {
        check(task);
    }
});

fn check(task: &Task) {
    let whole = task.to_value();
    let fields = whole.as_object().expect("a task is an object");
    assert_eq!(fields["data"], Value::Object(task.data.clone()));
    for (name, value) in fields {
        if let Some(raw) = task.field(name)
            && let Ok(read) = serde_json::from_str::<Value>(raw)
        {
            assert_eq!(read, *value, "{name}");
        }
    }
    if let Ok(annotations) = task.annotations() {
        serde_json::to_vec(&annotations).expect("annotations that were read can be written");
    }
    if let Ok(predictions) = task.predictions() {
        serde_json::to_vec(&predictions).expect("predictions that were read can be written");
    }
    let again = Task::from_value(&whole).expect("a task that was read can be read again");
    assert_eq!(again.to_value(), whole);
}

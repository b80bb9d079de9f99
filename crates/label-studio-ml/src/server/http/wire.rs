//! How Label Studio names a project in requests.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Project id that the Python original uses for requests without project.
pub(crate) const NO_PROJECT: &str = "None";

/// The `project` field of a request: `"17.1795448083"`, or just a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "project is neither text nor a number")]
pub(crate) enum WireProject {
    Text(String),
    Number(serde_json::Number),
}

impl WireProject {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Returns the id and the label config in the payload of an event.
pub(crate) fn event_project(payload: &Map<String, Value>) -> Option<(String, Option<&str>)> {
    let project = payload.get("project")?;
    let id = match project.get("id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    Some((id, project.get("label_config").and_then(Value::as_str)))
}

//! How Label Studio names a project in requests.

use serde::Deserialize;

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

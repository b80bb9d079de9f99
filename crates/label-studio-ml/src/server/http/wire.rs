//! How Label Studio names a project in requests.

use serde::Deserialize;

/// What the Python original files requests without project under.
pub(crate) const NO_PROJECT: &str = "None";

/// A project's name on the wire: `"17.1795448083"`, or just a number.
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

//! One file per route.

mod health;
mod metrics;
mod openapi;
mod own;
mod own_raw;
mod predict;
mod predict_raw;
mod ready;
mod setup;
mod versions;
mod webhook;

pub(super) use health::health;
pub(super) use metrics::metrics;
pub(super) use openapi::openapi;
pub(super) use own::own;
pub(super) use own_raw::own_raw;
pub(super) use predict::predict;
pub(super) use ready::ready;
pub(super) use setup::setup;
pub(super) use versions::versions;
pub(super) use webhook::webhook;

use serde::Deserialize;

/// Names a route in the metrics.
pub(super) fn name(path: &str) -> &'static str {
    const NAMES: [&str; 9] = [
        "/",
        "/health",
        "/metrics",
        "/openapi.json",
        "/predict",
        "/ready",
        "/setup",
        "/versions",
        "/webhook",
    ];
    NAMES
        .into_iter()
        .find(|name| *name == path)
        .unwrap_or("other")
}

/// A project's name on the wire: `"17.1795448083"`, or just a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "project is neither text nor a number")]
enum WireProject {
    Text(String),
    Number(serde_json::Number),
}

impl WireProject {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

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

pub(super) use own::own;
pub(super) use own_raw::own_raw;

use axum::routing::{MethodRouter, get, post};
use serde::Deserialize;

use super::app::SharedBackend;

/// A route that every backend has: what the router knows of it, the metrics and the description for programs.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Schema of the body that is posted; a route that takes none is read with GET.
    pub(super) takes: Option<&'static str>,
    /// Schema of what it answers, and the statuses of that.
    pub(super) gives: (&'static str, &'static [&'static str]),
    pub(super) handler: fn() -> MethodRouter<SharedBackend>,
}

/// The routes that every backend has.
pub(super) static ROUTES: [Route; 9] = [
    Route {
        path: "/",
        summary: "Tells that the server is up",
        takes: None,
        gives: ("Health", &["200"]),
        handler: || get(health::health),
    },
    Route {
        path: "/health",
        summary: "Tells that the server is up",
        takes: None,
        gives: ("Health", &["200"]),
        handler: || get(health::health),
    },
    Route {
        path: "/ready",
        summary: "Tells whether the model is loaded",
        takes: None,
        gives: ("Health", &["200"]),
        handler: || get(ready::ready),
    },
    Route {
        path: "/metrics",
        summary: "Numbers about the server",
        takes: None,
        gives: ("Metrics", &["200"]),
        handler: || get(metrics::metrics),
    },
    Route {
        path: "/versions",
        summary: "Lists model versions",
        takes: None,
        gives: ("Versions", &["200"]),
        handler: || get(versions::versions),
    },
    Route {
        path: "/openapi.json",
        summary: "Describes the routes",
        takes: None,
        gives: ("Description", &["200"]),
        handler: || get(openapi::openapi),
    },
    Route {
        path: "/predict",
        summary: "Predicts labels",
        takes: Some("PredictBody"),
        gives: ("PredictReply", &["200"]),
        handler: || post(predict::predict),
    },
    Route {
        path: "/setup",
        summary: "Prepares a project",
        takes: Some("SetupBody"),
        gives: ("SetupReply", &["200"]),
        handler: || post(setup::setup),
    },
    Route {
        path: "/webhook",
        summary: "Takes annotation events",
        takes: Some("WebhookBody"),
        gives: ("WebhookReply", &["200", "201"]),
        handler: || post(webhook::webhook),
    },
];

/// Returns the route of a path.
pub(super) fn route(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
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

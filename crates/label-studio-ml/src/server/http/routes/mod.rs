//! One file per route.

pub(crate) mod custom;
pub(crate) mod custom_raw;
mod health;
mod metrics;
mod openapi;
mod predict;
mod predict_raw;
mod ready;
mod setup;
mod versions;
mod webhook;

use axum::routing::{get, post};

use crate::server::http::route::Route;

/// The routes that every backend has.
pub(crate) static ROUTES: [Route; 10] = [
    Route {
        path: "/",
        summary: "Health check",
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(health::health),
    },
    Route {
        path: "/health",
        summary: "Health check",
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(health::health),
    },
    Route {
        path: "/ready",
        summary: "Whether the model is loaded",
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(ready::ready),
    },
    Route {
        path: "/metrics",
        summary: "Metrics of the server",
        takes: None,
        gives: ("Metrics", &["200"]),
        handler: |_| get(metrics::metrics),
    },
    Route {
        path: "/versions",
        summary: "Lists model versions",
        takes: None,
        gives: ("Versions", &["200"]),
        handler: |_| get(versions::versions),
    },
    Route {
        path: "/openapi.json",
        summary: "Describes the routes",
        takes: None,
        gives: ("Description", &["200"]),
        handler: openapi::openapi,
    },
    Route {
        path: "/predict",
        summary: "Predicts labels",
        takes: Some("PredictBody"),
        gives: ("PredictReply", &["200"]),
        handler: |_| post(predict::predict),
    },
    Route {
        path: "/setup",
        summary: "Prepares a project",
        takes: Some("SetupBody"),
        gives: ("SetupReply", &["200"]),
        handler: |_| post(setup::setup),
    },
    Route {
        path: "/webhook",
        summary: "Takes annotation events",
        takes: Some("WebhookBody"),
        gives: ("WebhookReply", &["200", "201"]),
        handler: |_| post(webhook::webhook),
    },
    Route {
        path: "/train",
        summary: "Starts a training, for Label Studio up to 1.11",
        takes: Some("TrainBody"),
        gives: ("WebhookReply", &["201"]),
        handler: |_| post(webhook::start_training),
    },
];

/// Returns the route of a path.
pub(crate) fn route(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
}

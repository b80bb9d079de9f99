//! One file per route.

pub(crate) mod custom;
pub(crate) mod custom_raw;
mod docs;
mod health;
mod jobs;
mod metrics;
mod openapi;
mod predict;
mod predict_raw;
mod ready;
mod setup;
mod versions;
mod webhook;

use axum::routing::{delete, get, post};

use crate::server::http::route::{Method, Route};

/// The routes that every backend has.
pub(crate) static ROUTES: [Route; 18] = [
    Route {
        method: Method::Get,
        path: "/",
        summary: "Health check",
        query: &[],
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(health::health),
    },
    Route {
        method: Method::Get,
        path: "/health",
        summary: "Health check",
        query: &[],
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(health::health),
    },
    Route {
        method: Method::Get,
        path: "/live",
        summary: "Whether the process answers at all",
        query: &[],
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(health::health),
    },
    Route {
        method: Method::Get,
        path: "/ready",
        summary: "Whether the model is loaded",
        query: &[],
        takes: None,
        gives: ("Health", &["200"]),
        handler: |_| get(ready::ready),
    },
    Route {
        method: Method::Get,
        path: "/metrics",
        summary: "Metrics of the server",
        query: &[],
        takes: None,
        gives: ("Metrics", &["200"]),
        handler: |_| get(metrics::metrics),
    },
    Route {
        method: Method::Get,
        path: "/versions",
        summary: "Lists model versions",
        query: &[],
        takes: None,
        gives: ("Versions", &["200"]),
        handler: |_| get(versions::versions),
    },
    Route {
        method: Method::Get,
        path: "/openapi.json",
        summary: "Describes the routes",
        query: &[],
        takes: None,
        gives: ("Description", &["200"]),
        handler: openapi::openapi,
    },
    Route {
        method: Method::Get,
        path: "/docs",
        summary: "Describes the routes to people",
        query: &[],
        takes: None,
        gives: ("Page", &["200"]),
        handler: docs::docs,
    },
    Route {
        method: Method::Post,
        path: "/predict",
        summary: "Predicts labels",
        query: &[],
        takes: Some("PredictBody"),
        gives: ("PredictReply", &["200"]),
        handler: |_| post(predict::predict),
    },
    Route {
        method: Method::Post,
        path: "/setup",
        summary: "Prepares a project",
        query: &[],
        takes: Some("SetupBody"),
        gives: ("SetupReply", &["200"]),
        handler: |_| post(setup::setup),
    },
    Route {
        method: Method::Post,
        path: "/webhook",
        summary: "Takes annotation events",
        query: &[],
        takes: Some("WebhookBody"),
        gives: ("WebhookReply", &["200", "201"]),
        handler: |_| post(webhook::webhook),
    },
    Route {
        method: Method::Post,
        path: "/train",
        summary: "Starts a training, for Label Studio up to 1.11",
        query: &[],
        takes: Some("TrainBody"),
        gives: ("WebhookReply", &["201"]),
        handler: |_| post(webhook::start_training),
    },
    Route {
        method: Method::Get,
        path: "/jobs",
        summary: "Lists trainings, newest first",
        query: &[
            ("project", "string"),
            ("state", "string"),
            ("before", "string"),
            ("limit", "integer"),
        ],
        takes: None,
        gives: ("Jobs", &["200"]),
        handler: |_| get(jobs::list),
    },
    Route {
        method: Method::Get,
        path: "/jobs/{id}",
        summary: "Shows a training",
        query: &[],
        takes: None,
        gives: ("Job", &["200"]),
        handler: |_| get(jobs::show),
    },
    Route {
        method: Method::Delete,
        path: "/jobs/{id}",
        summary: "Cancels a training that has not ended",
        query: &[],
        takes: None,
        gives: ("Job", &["200"]),
        handler: |_| delete(jobs::cancel),
    },
    Route {
        method: Method::Get,
        path: "/jobs/{id}/log",
        summary: "Shows the last lines that a training logged",
        query: &[],
        takes: None,
        gives: ("JobLog", &["200"]),
        handler: |_| get(jobs::log),
    },
    Route {
        method: Method::Post,
        path: "/jobs/{id}/retry",
        summary: "Runs a training again that has ended",
        query: &[],
        takes: None,
        gives: ("Job", &["200"]),
        handler: |_| post(jobs::retry),
    },
    Route {
        method: Method::Post,
        path: "/versions/{version}/activate",
        summary: "Makes a version of a project's model the active one",
        query: &[("project", "string")],
        takes: None,
        gives: ("Version", &["200"]),
        handler: |_| post(versions::activate),
    },
];

/// Returns the route of a path.
pub(crate) fn route(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
}

/// Returns the methods that a path takes, as text for clients.
pub(crate) fn methods(path: &str) -> String {
    let routes = ROUTES.iter().filter(|route| route.matches(path));
    let mut methods: Vec<_> = routes.map(|route| route.method.allowed()).collect();
    methods.push("OPTIONS");
    methods.sort_unstable();
    methods.join(", ")
}

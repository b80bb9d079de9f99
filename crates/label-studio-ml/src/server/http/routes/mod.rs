//! One file per route.

pub(crate) mod custom;
pub(crate) mod custom_raw;
mod dashboard;
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

use crate::server::{
    dashboard::{label_studio, project, state},
    http::route::{Method, Parameter, Route},
};

/// The routes that every backend has.
pub(crate) static ROUTES: [Route; 24] = [
    Route {
        method: Method::Get,
        path: "/",
        summary: "Health check; a dashboard for browsers",
        query: &[],
        takes: None,
        gives: ("HealthOrPage", &["200"]),
        handler: |_| get(dashboard::index),
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
            Parameter::optional("project", "string"),
            Parameter::optional("state", "string"),
            Parameter::optional("before", "string"),
            Parameter::optional("limit", "integer"),
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
        query: &[Parameter::optional("project", "string")],
        takes: None,
        gives: ("Version", &["200"]),
        handler: |_| post(versions::activate),
    },
    Route {
        method: Method::Get,
        path: "/dashboard/state",
        summary: "What the dashboard shows",
        query: &[],
        takes: None,
        gives: ("DashboardState", &["200"]),
        handler: |_| get(state::state),
    },
    Route {
        method: Method::Get,
        path: "/dashboard/label-config",
        summary: "Shows the label config of a project",
        query: &[Parameter::required("project", "string")],
        takes: None,
        gives: ("LabelConfig", &["200"]),
        handler: |_| get(project::label_config),
    },
    Route {
        method: Method::Get,
        path: "/dashboard/task",
        summary: "Shows a task of Label Studio",
        query: &[Parameter::required("task", "integer")],
        takes: None,
        gives: ("Task", &["200"]),
        handler: |_| get(label_studio::task),
    },
    Route {
        method: Method::Get,
        path: "/dashboard/media",
        summary: "Returns a file that a task refers to",
        query: &[
            Parameter::required("url", "string"),
            Parameter::optional("task", "integer"),
        ],
        takes: None,
        gives: ("File", &["200"]),
        handler: |_| get(label_studio::media),
    },
    Route {
        method: Method::Get,
        path: "/dashboard/{file}",
        summary: "Returns a part of the dashboard",
        query: &[],
        takes: None,
        gives: ("File", &["200"]),
        handler: |_| get(dashboard::page_file),
    },
    Route {
        method: Method::Get,
        path: "/dashboard/editor/{file}",
        summary: "Returns a part of Label Studio's editor",
        query: &[],
        takes: None,
        gives: ("File", &["200"]),
        handler: |_| get(dashboard::editor_file),
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

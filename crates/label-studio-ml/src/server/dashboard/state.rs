//! What the page shows and asks for again and again.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    project::MODEL_VERSION,
    project_id::ProjectId,
    raw::model::Readiness,
    resources::Resources,
    server::{
        backend::SharedBackend,
        calls::executor::run_blocking,
        dashboard::history::{Failure, RecentCall},
        http::errors::ApiError,
    },
    store::StoreError,
};

/// Most projects that are listed.
const MAX_PROJECTS: usize = 500;

#[derive(Serialize)]
pub(crate) struct StateReply {
    model: String,
    /// `ready`, `loading` or `failed`.
    status: &'static str,
    /// Why the model cannot be loaded, or what the server cannot do.
    problem: Option<String>,
    version: String,
    uptime: f64,
    waiting: usize,
    /// Whether the editor of Label Studio can be shown.
    has_editor: bool,
    /// Why tasks and files of Label Studio are not shown; null if they are.
    label_studio: Option<&'static str>,
    calls: Vec<RecentCall>,
    failures: Vec<Failure>,
    projects: Vec<ProjectReply>,
}

#[derive(Serialize)]
struct ProjectReply {
    project: String,
    model_version: Option<String>,
}

/// Returns what the page shows. Never waits for the model.
pub(crate) async fn state(
    State(backend): State<SharedBackend>,
) -> Result<Json<StateReply>, ApiError> {
    run_blocking(move || {
        let (status, reason) = match backend.readiness() {
            Readiness::Ready => ("ready", None),
            Readiness::Loading => ("loading", None),
            Readiness::Failed(reason) => ("failed", Some(reason)),
        };
        let dashboard = &backend.dashboard;
        Ok(Json(StateReply {
            model: backend.model_name().to_owned(),
            status,
            problem: reason.or_else(|| backend.degraded.clone()),
            version: backend.version.clone(),
            uptime: dashboard.history.uptime().as_secs_f64(),
            waiting: backend.now().n_waiting,
            has_editor: dashboard.editor.is_some(),
            label_studio: backend.label_studio_refusal(),
            calls: dashboard.history.recent_calls(),
            failures: dashboard.history.recent_failures(),
            projects: projects(&backend.resources)?,
        }))
    })
    .await
}

fn projects(resources: &Arc<Resources>) -> Result<Vec<ProjectReply>, StoreError> {
    let store = &resources.store;
    let projects = store.projects()?.into_iter().take(MAX_PROJECTS);
    let projects = projects.map(|project| {
        let model_version = store.get(&ProjectId::parse(&project), MODEL_VERSION)?;
        Ok(ProjectReply {
            project,
            model_version,
        })
    });
    projects.collect()
}

//! The label config of a project.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use crate::{
    project_id::ProjectId,
    server::{
        backend::SharedBackend,
        calls::{executor::run_blocking, projects::LABEL_CONFIG},
        http::errors::ApiError,
    },
};

#[derive(Deserialize)]
pub(crate) struct ProjectQuery {
    project: String,
}

#[derive(Serialize)]
pub(crate) struct LabelConfigReply {
    project: String,
    label_config: String,
}

/// Returns the label config that a project had last.
pub(crate) async fn label_config(
    State(backend): State<SharedBackend>,
    query: Result<Query<ProjectQuery>, QueryRejection>,
) -> Result<Json<LabelConfigReply>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let resources = Arc::clone(&backend.resources);
    run_blocking(move || {
        let project = ProjectId::parse(&query.project);
        let label_config = resources.store.get(&project, LABEL_CONFIG)?;
        let label_config = label_config.ok_or_else(|| {
            let detail = format!("no label config of a project {:?} is known", query.project);
            ApiError::new(StatusCode::NOT_FOUND, detail)
        })?;
        Ok(Json(LabelConfigReply {
            project: project.to_string(),
            label_config,
        }))
    })
    .await
}

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};

use crate::{
    project::MODEL_VERSION,
    project_id::ProjectId,
    resources::Resources,
    server::{backend::SharedBackend, calls::executor::run_blocking, http::errors::ApiError},
    store::StoreError,
    versions::{VersionError, VersionRecord},
};

#[derive(Serialize)]
pub(crate) struct VersionsReply {
    versions: Vec<String>,
    /// Versions with files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<VersionDetails>,
}

/// A version, as it is shown.
#[derive(Serialize)]
pub(crate) struct VersionDetails {
    #[serde(flatten)]
    record: VersionRecord,
    is_active: bool,
}

#[derive(Deserialize)]
pub(crate) struct ActivateQuery {
    project: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct ActivateReply {
    project: String,
    version: String,
    is_active: bool,
}

/// Lists the model versions of all projects: the request does not name a project.
pub(crate) async fn versions(
    State(backend): State<SharedBackend>,
) -> Result<Json<VersionsReply>, ApiError> {
    let resources = Arc::clone(&backend.resources);
    run_blocking(move || {
        Ok(Json(VersionsReply {
            versions: names(&resources)?,
            details: details(&resources).map_err(api_error)?,
        }))
    })
    .await
}

/// Makes a version the active one of a project, which may be left out if only one has such a version.
pub(crate) async fn activate(
    State(backend): State<SharedBackend>,
    Path(version): Path<String>,
    query: Result<Query<ActivateQuery>, QueryRejection>,
) -> Result<Json<ActivateReply>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    run_blocking(move || {
        let resources = &backend.resources;
        let project = match query.project.filter(|id| !id.is_empty()) {
            Some(project) => project,
            None => project_with(resources, &version)?,
        };
        let seen = backend.projects.get_blocking(&project, None)?;
        seen.project.activate_version(&version).map_err(api_error)?;
        tracing::info!(project, version, "version activated");
        Ok(Json(ActivateReply {
            project: seen.project.id().to_string(),
            version,
            is_active: true,
        }))
    })
    .await
}

fn names(resources: &Resources) -> Result<Vec<String>, StoreError> {
    let store = &resources.store;
    let mut versions = store.values(MODEL_VERSION)?;
    for list in store.values("model_versions")? {
        versions.extend(serde_json::from_str::<Vec<String>>(&list).unwrap_or_default());
    }
    versions.sort();
    versions.dedup();
    Ok(versions)
}

fn details(resources: &Resources) -> Result<Vec<VersionDetails>, VersionError> {
    let records = resources.versions.list()?;
    let details = records.into_iter().map(|record| {
        let project = ProjectId::parse(&record.project);
        let active = resources.store.get(&project, MODEL_VERSION)?;
        Ok(VersionDetails {
            is_active: active.as_deref() == Some(&*record.version),
            record,
        })
    });
    details.collect()
}

/// Returns the one project that has a version of this name.
fn project_with(resources: &Resources, version: &str) -> Result<String, ApiError> {
    let records = resources.versions.list().map_err(api_error)?;
    let mut projects: Vec<_> = records
        .into_iter()
        .filter(|record| record.version == version)
        .map(|record| record.project)
        .collect();
    match (projects.pop(), projects.len()) {
        (Some(project), 0) => Ok(project),
        (Some(_), _) => Err(ApiError::bad_request(format!(
            "several projects have a version {version:?}; say which, as ?project=ID"
        ))),
        (None, _) => Err(ApiError::bad_request(format!(
            "no project has files of a version {version:?}; say which project, as ?project=ID"
        ))),
    }
}

fn api_error(error: VersionError) -> ApiError {
    match error {
        error @ VersionError::Unknown { .. } => {
            ApiError::new(StatusCode::NOT_FOUND, error.to_string())
        }
        error => ApiError::model(&error.into()),
    }
}

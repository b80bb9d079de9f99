use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    project::MODEL_VERSION,
    server::{backend::SharedBackend, http::errors::ApiError},
    store::StoreError,
};

#[derive(Serialize)]
pub(crate) struct VersionsReply {
    versions: Vec<String>,
}

/// Lists the model versions of all projects: the request does not name a project.
pub(crate) async fn versions(
    State(backend): State<SharedBackend>,
) -> Result<Json<VersionsReply>, ApiError> {
    let read = move || -> Result<Vec<String>, StoreError> {
        let store = &backend.resources.store;
        let mut versions = store.values(MODEL_VERSION)?;
        for list in store.values("model_versions")? {
            versions.extend(serde_json::from_str::<Vec<String>>(&list).unwrap_or_default());
        }
        versions.sort();
        versions.dedup();
        Ok(versions)
    };
    let versions = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| ApiError::model(&error.into()))??;
    Ok(Json(VersionsReply { versions }))
}

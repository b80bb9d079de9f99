//! Tasks and files that the backend may read in Label Studio.
//!
//! The backend's token opens them, so they are for users who have shown the backend's password.

use std::{fs, path::PathBuf};

use axum::{
    Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::server::{
    backend::{Backend, SharedBackend},
    calls::executor::run_blocking,
    dashboard::{files, media_type::media_type},
    http::errors::ApiError,
};

/// Largest file that is passed on.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
pub(crate) struct TaskQuery {
    task: i64,
}

#[derive(Serialize)]
pub(crate) struct TaskReply {
    id: Option<i64>,
    data: Map<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct MediaQuery {
    url: String,
    task: Option<i64>,
}

impl Backend {
    /// Returns why tasks and files of Label Studio are not passed on; `None` if they are.
    pub(crate) fn label_studio_refusal(&self) -> Option<&'static str> {
        if self.auth.is_none() {
            return Some(
                "tasks and files of Label Studio are shown only behind a password: \
                 set BASIC_AUTH_USER and BASIC_AUTH_PASS",
            );
        }
        if self.resources.client.is_none() {
            return Some(
                "the backend cannot read Label Studio: set LABEL_STUDIO_URL and \
                 LABEL_STUDIO_API_KEY",
            );
        }
        None
    }

    fn check_label_studio(&self) -> Result<(), ApiError> {
        let refusal = self.label_studio_refusal();
        refusal.map_or(Ok(()), |reason| {
            Err(ApiError::new(StatusCode::FORBIDDEN, reason))
        })
    }
}

/// Returns a task of Label Studio.
pub(crate) async fn task(
    State(backend): State<SharedBackend>,
    query: Result<Query<TaskQuery>, QueryRejection>,
) -> Result<Json<TaskReply>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    backend.check_label_studio()?;
    run_blocking(move || {
        let client = backend.resources.client.as_ref();
        let task = client.map(|client| client.task(query.task)).transpose();
        let task = task.map_err(|error| bad_gateway(&error.into()))?;
        let task = task.unwrap_or_default();
        Ok(Json(TaskReply {
            id: task.id,
            data: task.data,
        }))
    })
    .await
}

/// Returns a file that a task refers to, as the model would get it.
pub(crate) async fn media(
    State(backend): State<SharedBackend>,
    query: Result<Query<MediaQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    backend.check_label_studio()?;
    run_blocking(move || {
        let media = backend.resources.media.as_ref();
        let path = media.map(|media| media.local_path(&query.url, query.task));
        let path = path
            .transpose()
            .map_err(|error| bad_gateway(&error.into()))?;
        let content = read(path.unwrap_or_default())?;
        let media_type = media_type(&content);
        let mut response = Response::new(Body::from(content));
        files::secure_file(&mut response, media_type);
        Ok(response)
    })
    .await
}

fn read(path: PathBuf) -> Result<Vec<u8>, ApiError> {
    let unreadable = |error: std::io::Error| ApiError::model(&error.into());
    let n_bytes = fs::metadata(&path).map_err(unreadable)?.len();
    if n_bytes > MAX_BYTES {
        let detail = format!("the file has more than {} MiB", MAX_BYTES >> 20);
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    fs::read(path).map_err(unreadable)
}

fn bad_gateway(error: &anyhow::Error) -> ApiError {
    ApiError::new(StatusCode::BAD_GATEWAY, format!("{error:#}"))
}

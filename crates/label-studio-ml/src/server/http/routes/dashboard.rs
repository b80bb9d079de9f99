use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::server::{
    backend::SharedBackend,
    calls::executor::run_blocking,
    dashboard::files,
    http::{
        errors::ApiError,
        replies::{MAX_PATH_CHARS, shortened},
        routes::health::health,
    },
};

/// Answers browsers with a page for people, and programs like a health check.
pub(crate) async fn index(backend: State<SharedBackend>, headers: HeaderMap) -> Response {
    if backend.dashboard.is_on && files::wants_page(&headers) {
        return files::page(&headers);
    }
    health(backend).await
}

/// Returns a file of the page.
pub(crate) async fn page_file(
    State(backend): State<SharedBackend>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = backend
        .dashboard
        .is_on
        .then(|| files::file(&name, &headers));
    file.flatten().ok_or_else(|| unknown(&name))
}

/// Returns a file of Label Studio's editor.
pub(crate) async fn editor_file(
    State(backend): State<SharedBackend>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    run_blocking(move || {
        let editor = backend.dashboard.editor.as_ref();
        let file = editor.and_then(|editor| editor.read(&name, &headers));
        file.ok_or_else(|| unknown(&name))
    })
    .await
}

fn unknown(name: &str) -> ApiError {
    let name = shortened(name, MAX_PATH_CHARS);
    ApiError::new(
        StatusCode::NOT_FOUND,
        format!("the dashboard has no file {name:?}"),
    )
}

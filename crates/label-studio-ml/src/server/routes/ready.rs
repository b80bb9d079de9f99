use axum::{extract::State, http::StatusCode};

use crate::server::{app::SharedBackend, error::ApiError};

/// Tells whether the model is loaded, and if not, why.
pub(in crate::server) async fn ready(
    State(backend): State<SharedBackend>,
) -> Result<StatusCode, ApiError> {
    let unavailable = |detail: String| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    match backend.model.peek() {
        Some(Ok(_)) => Ok(StatusCode::OK),
        Some(Err(reason)) => Err(unavailable(format!(
            "the model could not be loaded: {reason}"
        ))),
        None => Err(unavailable("the model is still loading".to_owned())),
    }
}

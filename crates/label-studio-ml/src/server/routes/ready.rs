use axum::{extract::State, http::StatusCode};

use crate::server::{Readiness, app::SharedBackend, error::ApiError};

/// Tells whether the model is loaded, and if not, why.
pub(in crate::server) async fn ready(
    State(backend): State<SharedBackend>,
) -> Result<StatusCode, ApiError> {
    let unavailable = |detail| Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    match backend.readiness() {
        Readiness::Ready => Ok(StatusCode::OK),
        Readiness::Loading => unavailable("the model is still loading".to_owned()),
        Readiness::Failed(reason) => {
            unavailable(format!("the model could not be loaded: {reason}"))
        }
    }
}

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    raw::model::Readiness,
    server::{backend::SharedBackend, http::errors::ApiError},
};

#[derive(Serialize)]
pub(crate) struct ReadyReply {
    model_class: String,
    status: &'static str,
}

/// Answers whether the model is loaded, and if not, why.
pub(crate) async fn ready(
    State(backend): State<SharedBackend>,
) -> Result<Json<ReadyReply>, ApiError> {
    let unavailable = |detail| Err(ApiError::not_ready(detail));
    match backend.readiness() {
        Readiness::Ready => Ok(Json(ReadyReply {
            model_class: backend.model_name().to_owned(),
            status: "READY",
        })),
        Readiness::Loading => unavailable("the model is still loading".to_owned()),
        Readiness::Failed(reason) => {
            unavailable(format!("the model could not be loaded: {reason}"))
        }
    }
}

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    raw::model::Readiness,
    server::{backend::SharedBackend, calls::executor::run_blocking, http::errors::ApiError},
};

#[derive(Serialize)]
pub(crate) struct ReadyReply {
    model_class: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<String>,
}

/// Answers whether the model is loaded and the store can be used, and if not, why. Predictions need
/// no queue of trainings, so one that cannot be used is named only.
pub(crate) async fn ready(
    State(backend): State<SharedBackend>,
) -> Result<Json<ReadyReply>, ApiError> {
    match backend.readiness() {
        Readiness::Ready => {}
        Readiness::Loading => {
            return Err(ApiError::not_ready("the model is still loading"));
        }
        Readiness::Failed(reason) => {
            let detail = format!("the model could not be loaded: {reason}");
            return Err(ApiError::not_ready(detail));
        }
    }
    let resources = backend.resources.clone();
    let probe = move || Ok((resources.store.probe(), resources.jobs.probe()));
    let (store, jobs) = run_blocking(probe).await?;
    if let Err(error) = store {
        let error = anyhow::Error::from(error);
        let detail = format!("the store cannot be used: {error:#}");
        tracing::warn!("{detail}");
        return Err(ApiError::not_ready(detail));
    }
    Ok(Json(ReadyReply {
        model_class: backend.model_name().to_owned(),
        status: "READY",
        degraded: backend.degraded.clone().or_else(|| {
            let error = anyhow::Error::from(jobs.err()?);
            Some(format!("trainings cannot be stored: {error:#}"))
        }),
    }))
}

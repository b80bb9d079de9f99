//! Turns every failure of a request into a status.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use label_studio_sdk::{LabelConfigError, TaskError};
use serde::Serialize;

use crate::{raw::model::RawError, server::http::replies::json_response, store::StoreError};

/// Why a request fails.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    detail: String,
    retry_after: Option<u32>,
    request_id: Option<String>,
}

#[derive(Serialize)]
struct ErrorReply<'a> {
    status: u16,
    detail: &'a str,
    request_id: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
            request_id: None,
        }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The server has no capacity for the request; the caller may retry.
    pub(crate) fn busy(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    /// The model, or something that it needs, failed. A raw model chooses the status.
    pub(crate) fn model(error: &anyhow::Error) -> Self {
        if let Some(error) = error.downcast_ref::<RawError>() {
            return error.clone().into();
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<LabelConfigError> for ApiError {
    fn from(error: LabelConfigError) -> Self {
        Self::bad_request(format!("{:#}", anyhow::Error::from(error)))
    }
}

impl From<TaskError> for ApiError {
    fn from(error: TaskError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<RawError> for ApiError {
    fn from(error: RawError) -> Self {
        let status = StatusCode::from_u16(error.status);
        Self {
            retry_after: error.retry_after,
            request_id: error.request_id,
            ..Self::new(
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                error.detail,
            )
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::model(&error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = self.request_id.unwrap_or_else(request_id);
        if self.status.is_server_error() {
            tracing::error!(
                request_id,
                status = self.status.as_u16(),
                detail = self.detail,
                "request failed"
            );
        } else {
            tracing::warn!(
                request_id,
                status = self.status.as_u16(),
                detail = self.detail,
                "request refused"
            );
        }
        let reply = ErrorReply {
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id,
        };
        let mut response =
            json_response(self.status, serde_json::to_vec(&reply).unwrap_or_default());
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Returns a new id, which links an answer to its line in the log.
fn request_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{:016x}",
        START.wrapping_add(count.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    )
}

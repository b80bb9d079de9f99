//! Turns every failure of a request into a status.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use label_studio_sdk::{LabelConfigError, TaskError};
use serde::Serialize;

use crate::{
    raw::model::RawError,
    server::{
        dashboard::history::Reason,
        http::{
            reason_phrase::reason_phrase,
            replies::{json_response, shortened},
            request_id::RequestId,
        },
    },
    store::StoreError,
};

/// Longest detail that is logged and answered.
const MAX_DETAIL_CHARS: usize = 4000;

/// Why a request fails.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    detail: String,
    retry_after: Option<u32>,
    request_id: Option<String>,
    is_expected: bool,
}

#[derive(Serialize)]
struct ErrorReply<'a> {
    status: u16,
    detail: &'a str,
    request_id: &'a str,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
            request_id: None,
            is_expected: false,
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

    /// The caller asks too often.
    pub(crate) fn throttled(detail: impl Into<String>, retry_after: u32) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    /// The backend is not ready. This is logged at level DEBUG: probes ask often.
    pub(crate) fn not_ready(detail: impl Into<String>) -> Self {
        Self {
            is_expected: true,
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

    /// Returns the same failure, for another request that shares it.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            detail: self.detail.clone(),
            request_id: None,
            ..*self
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    fn log(&self, request_id: &str) {
        let (status, detail) = (self.status.as_u16(), self.detail.as_str());
        if self.is_expected {
            tracing::debug!(request_id, status, detail, "not ready");
        } else if self.status.is_server_error() {
            tracing::error!(request_id, status, detail, "request failed");
        } else {
            tracing::warn!(request_id, status, detail, "request refused");
        }
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
    fn into_response(mut self) -> Response {
        let request_id = self.request_id.take();
        let request_id = request_id.unwrap_or_else(|| RequestId::current().to_string());
        self.detail = shortened(self.detail, MAX_DETAIL_CHARS);
        self.log(&request_id);
        let reply = ErrorReply {
            status: self.status.as_u16(),
            detail: &self.detail,
            request_id: &request_id,
        };
        let mut response =
            json_response(self.status, serde_json::to_vec(&reply).unwrap_or_default());
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(phrase) = reason_phrase(&self.detail) {
            response.extensions_mut().insert(phrase);
        }
        if !self.is_expected {
            response.extensions_mut().insert(Reason {
                detail: self.detail,
                request_id,
            });
        }
        response
    }
}

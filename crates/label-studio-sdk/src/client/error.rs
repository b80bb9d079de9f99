//! Why Label Studio could not be asked.

use std::sync::Arc;

use crate::{
    TaskError,
    http::{CertificateProblem, HttpError, ProxyFailure},
};

/// Why Label Studio could not be asked.
///
/// Messages name the address and say what to change. None contains a token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The configured address is not a web address.
    #[error("LABEL_STUDIO_URL is not a web address: {url:?}; write it with http:// or https://")]
    InvalidUrl {
        /// The address as configured.
        url: String,
    },
    /// The certificate authorities or the proxies cannot be used.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// No token is configured.
    #[error(
        "no token for {url}; set LABEL_STUDIO_API_KEY to a token from Label Studio's account page"
    )]
    MissingToken {
        /// Address of Label Studio.
        url: String,
    },
    /// The token cannot be sent in a header.
    #[error("LABEL_STUDIO_API_KEY contains characters that no token has; copy it again")]
    MalformedToken,
    /// The personal access token has expired, or says not when it will.
    #[error(
        "the personal access token has expired; create a new one in Label Studio \
         (Account & Settings, Personal Access Token) and set LABEL_STUDIO_API_KEY"
    )]
    ExpiredToken,
    /// Label Studio did not exchange the personal access token. Threads that waited for the same exchange share it.
    #[error("cannot exchange the personal access token for an access token")]
    Exchange(#[source] Arc<Self>),
    /// Label Studio answered with an error.
    #[error("{url} answered {status}{}{}", shown(body), shown(fix))]
    Status {
        /// Address that was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// Start of the answer.
        body: String,
        /// How to fix it; empty when that is not known.
        fix: &'static str,
    },
    /// Label Studio could not be reached, or the connection broke.
    #[error("cannot reach {url}{}", advice(source))]
    Connection {
        /// Address that was asked.
        url: String,
        /// What went wrong.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The answer is not the JSON that Label Studio's API gives.
    #[error("{url} did not answer like Label Studio's API; check LABEL_STUDIO_URL")]
    Json {
        /// Address that was asked.
        url: String,
        /// What is wrong with the JSON.
        #[source]
        source: serde_json::Error,
    },
    /// The answer contains something that is not a task.
    #[error("{url} did not answer with tasks; check LABEL_STUDIO_URL")]
    Task {
        /// Address that was asked.
        url: String,
        /// What is wrong with it.
        #[source]
        source: TaskError,
    },
}

impl ClientError {
    /// Returns the HTTP status when Label Studio answered with an error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Exchange(source) => source.status(),
            _ => None,
        }
    }
}

fn shown(part: &str) -> String {
    if part.is_empty() {
        String::new()
    } else {
        format!("; {part}")
    }
}

/// Names `LABEL_STUDIO_URL` unless the source names the setting that is to blame.
fn advice(source: &ureq::Error) -> &'static str {
    let is_proxy = matches!(source, ureq::Error::Other(other) if other.is::<ProxyFailure>());
    if is_proxy || CertificateProblem::of(source).is_some() {
        ""
    } else {
        "; check LABEL_STUDIO_URL and that this machine can open it"
    }
}

//! Why a service gave no answer.

use std::time::Duration;

use label_studio_sdk::http::HttpError;

/// Why a service gave no answer.
///
/// Messages name the address without its query. None contains a secret of the request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The address cannot be called.
    #[error("{url:?} is not a web address; write it with http:// or https://")]
    InvalidUrl {
        /// The address as configured, without query.
        url: String,
    },
    /// A proxy's address is not one, or the certificate authorities to trust cannot be read.
    #[error(transparent)]
    Setting(#[from] HttpError),
    /// A header cannot be sent.
    #[error("a header for {url} holds characters that no header has; copy the key again")]
    Header {
        /// Address that was to be asked.
        url: String,
    },
    /// The service answered with an error.
    #[error("{url} answered {status}{}{}", shown(body), shown(hint(*status)))]
    Status {
        /// Address that was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// Message of the answer, in one line.
        body: String,
        /// How long the service wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The service could not be reached, or the connection broke.
    #[error("cannot reach {url}")]
    Connection {
        /// Address that was asked.
        url: String,
        /// The failure: of a certificate, a proxy, or the connection itself.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service took too long.
    #[error("{url} took too long to answer")]
    Timeout {
        /// Address that was asked.
        url: String,
        /// Which limit was exceeded, and whose.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection ended before the answer did.
    #[error("the answer of {url} ended early")]
    Truncated {
        /// Address that was asked.
        url: String,
    },
    /// The answer is larger than allowed.
    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge {
        /// Address that was asked.
        url: String,
        /// Size that is allowed.
        limit: u64,
    },
    /// The answer is not the JSON that was expected.
    #[error("{url} did not answer with the JSON that was expected")]
    Json {
        /// Address that was asked.
        url: String,
        /// The parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// There was no time left to ask, or to ask again.
    #[error("no time is left to ask {url}{}", if source.is_some() { " again" } else { "" })]
    NoTimeLeft {
        /// Address that was to be asked.
        url: String,
        /// How the last attempt failed.
        #[source]
        source: Option<Box<Self>>,
    },
}

impl ServiceError {
    /// Returns the HTTP status when the service answered with an error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::NoTimeLeft { source, .. } => source.as_ref()?.status(),
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

const fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => "redirects are not followed: configure the address that it leads to",
        401 => "the key is missing or not accepted",
        403 => "the key may not do this",
        404 => "check the address and the name of the model",
        _ => "",
    }
}

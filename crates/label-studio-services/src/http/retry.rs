//! Temporary failures, and the pause before a retry.

use std::{
    error::Error,
    hash::{BuildHasher, RandomState},
    io,
    time::{Duration, SystemTime},
};

use label_studio_sdk::http::{ProxyFailure, is_connection_failure};
use ureq::{
    Timeout,
    http::{HeaderMap, HeaderValue},
};

use super::{error::ServiceError, request::ServiceRequest};

/// Longest pause that a service may request.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ServiceError,
    /// Whether a retry may succeed.
    pub(crate) may_pass: bool,
    /// Whether the service has certainly not acted on the request.
    pub(crate) is_unread: bool,
}

impl Failure {
    /// Returns a failure that a retry does not fix.
    pub(crate) fn that_stays(error: ServiceError) -> Self {
        Self {
            error,
            may_pass: false,
            is_unread: false,
        }
    }

    /// Returns the failure of a connection, or of reading from it.
    pub(crate) fn of(request: &ServiceRequest, error: ureq::Error) -> Self {
        let url = request.shown_url();
        let is_unread = is_unconnected(&error);
        let may_pass = is_unread
            || is_timeout(&error)
            || is_connection_failure(&error)
            || matches!(error, ureq::Error::Protocol(_));
        let error = match error {
            ureq::Error::Http(_) => ServiceError::Header { url },
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                ServiceError::Truncated { url }
            }
            error if is_timeout(&error) => ServiceError::Timeout {
                url,
                source: source(error),
            },
            error => ServiceError::Connection {
                url,
                source: source(error),
            },
        };
        Self {
            error,
            may_pass,
            is_unread,
        }
    }
}

/// Returns whether a status says that the same request may succeed later. A quota that is used up does not come back by waiting.
pub(crate) fn status_may_pass(status: u16, headers: &HeaderMap, body: &str) -> bool {
    match headers.get("x-should-retry").map(HeaderValue::as_bytes) {
        Some(b"true") => return true,
        Some(b"false") => return false,
        _ => {}
    }
    matches!(status, 408 | 409 | 425 | 429 | 500..=599)
        && status != 501
        && !(status == 429 && body.contains("insufficient_quota"))
}

/// Reads how long the service wants to be left alone: seconds, a date, or milliseconds in `retry-after-ms`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| *n >= 0.0);
    let time = if let Some(milliseconds) = text("retry-after-ms").and_then(number) {
        Duration::try_from_secs_f64(milliseconds / 1000.0).ok()?
    } else {
        let text = text("retry-after")?;
        match number(text) {
            Some(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            None => http_date(text)?
                .duration_since(SystemTime::now())
                .unwrap_or_default(),
        }
    };
    Some(time.min(MAX_RETRY_AFTER))
}

/// Returns `delay` shortened by up to a quarter, so that requests that failed together do not return together.
pub(crate) fn jittered(delay: Duration) -> Duration {
    let random = RandomState::new().hash_one(());
    let share = u32::try_from(random % 256).unwrap_or(0);
    delay.saturating_sub(delay / 4 * share / 256)
}

/// Returns what went wrong, without ureq's word for errors that are not its own.
fn source(error: ureq::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        ureq::Error::Other(other) => other,
        error => Box::new(error),
    }
}

fn is_timeout(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) | ureq::Error::BodyStalled => true,
        ureq::Error::Io(error) => error.kind() == io::ErrorKind::TimedOut,
        ureq::Error::Other(other) => other
            .downcast_ref::<ProxyFailure>()
            .is_some_and(|failure| is_timeout(&failure.source)),
        _ => false,
    }
}

/// Returns whether the connection was not even made.
fn is_unconnected(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(timeout) => matches!(timeout, Timeout::Connect | Timeout::Resolve),
        ureq::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        ureq::Error::Other(other) => other
            .downcast_ref::<ProxyFailure>()
            .is_some_and(|failure| is_unconnected(&failure.source)),
        _ => false,
    }
}

/// Reads a date as in `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates() {
        let at = |text| {
            Some(
                http_date(text)?
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs(),
            )
        };
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(at("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(at("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(at("soon"), None);
    }
}

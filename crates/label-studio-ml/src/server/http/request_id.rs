//! Ids of requests, which link an answer to its lines in the log.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Header of a request and of its answer.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a request.
const MAX_CHARS: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of a request: that of the caller, or a new one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// Returns the caller's id if it is short and printable, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|id| id.to_str().ok());
        let is_usable = |id: &&str| {
            (1..=MAX_CHARS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        };
        given
            .filter(is_usable)
            .map_or_else(Self::new, |id| Self(id.into()))
    }

    /// Returns the id of the request that this task answers, or a new one outside of requests.
    pub(crate) fn current() -> Self {
        CURRENT
            .try_with(Self::clone)
            .unwrap_or_else(|_| Self::new())
    }

    /// Runs `future` with this id as the current one.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Returns the id as the value of a header.
    pub(crate) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }

    fn new() -> Self {
        static START: LazyLock<u64> =
            LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = START.wrapping_add(count.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self(format!("{id:016x}").into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_an_id_of_the_caller_that_can_be_logged() {
        let of = |id: &'static str| {
            let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_static(id))]);
            RequestId::of(&headers).to_string()
        };
        assert_eq!(of("abc-123"), "abc-123");
        for odd in ["", "two words", "tab\t"] {
            assert_eq!(of(odd).len(), 16, "{odd:?} is replaced");
        }
        let long = HeaderValue::from_str(&"x".repeat(MAX_CHARS + 1)).unwrap();
        let headers = HeaderMap::from_iter([(HEADER, long)]);
        assert_eq!(RequestId::of(&headers).to_string().len(), 16);
    }
}

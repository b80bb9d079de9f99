//! Ids of requests, which link an answer to its lines in the log.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::futures::TaskLocalFuture;

/// Header of a request and of its answer.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Header with the trace that a request belongs to.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Longest id that is taken from a request.
const MAX_CHARS: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of a request: that of the caller, or a new one. Printable ASCII.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the caller's id if it is short and printable, else the id of its trace, else a new
    /// one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let is_usable = |id: &HeaderValue| {
            (1..=MAX_CHARS).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        let given = match headers.get(HEADER).filter(|id| id.to_str().is_ok()) {
            Some(id) => Some(id.clone()),
            None => trace_id(headers).and_then(|id| HeaderValue::from_str(id).ok()),
        };
        given.filter(is_usable).map_or_else(Self::new, Self)
    }

    /// Returns the id of the request that this task answers, or a new one outside of requests.
    pub(crate) fn current() -> Self {
        CURRENT
            .try_with(Self::clone)
            .unwrap_or_else(|_| Self::new())
    }

    /// Returns `future` with this id as the current one. The id can be taken back from it.
    pub(crate) fn scope<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, future)
    }

    /// Returns the id as the value of a header.
    pub(crate) fn into_header_value(self) -> HeaderValue {
        self.0
    }

    fn new() -> Self {
        static START: LazyLock<u64> =
            LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = START.wrapping_add(count.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let digits: [u8; 16] = std::array::from_fn(|idx| {
            let digit = id >> (60 - 4 * idx) & 0xF;
            b"0123456789abcdef"[digit as usize]
        });
        Self(HeaderValue::from_bytes(&digits).expect("digits are printable"))
    }
}

/// Returns the id of the trace that a request belongs to (<https://www.w3.org/TR/trace-context/>).
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let parent = headers.get(TRACEPARENT)?.to_str().ok()?;
    let id = parent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().map_err(|_| fmt::Error)?)
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
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = HeaderValue::from_str(&format!("00-{trace}-00f067aa0ba902b7-01")).unwrap();
        let mut headers = HeaderMap::from_iter([(TRACEPARENT, parent)]);
        assert_eq!(RequestId::of(&headers).to_string(), trace);
        headers.insert(HEADER, HeaderValue::from_static("own"));
        assert_eq!(RequestId::of(&headers).to_string(), "own");
        let odd = HeaderValue::from_static("00-abc-1-01");
        let headers = HeaderMap::from_iter([(TRACEPARENT, odd)]);
        assert_eq!(RequestId::of(&headers).to_string().len(), 16);
        let long = HeaderValue::from_str(&"x".repeat(MAX_CHARS + 1)).unwrap();
        let headers = HeaderMap::from_iter([(HEADER, long)]);
        assert_eq!(RequestId::of(&headers).to_string().len(), 16);
    }
}

//! Reading request bodies, with a bound on what is in memory at once.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use label_studio_sdk::repair_json;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::server::http::errors::ApiError;

const KIB: usize = 1024;
const MIB: usize = KIB * KIB;
/// Larger bodies are parsed on a blocking thread, so that they do not delay small requests.
pub(crate) const SMALL: usize = 64 * KIB;
/// Bodies up to this size have an eighth of the memory for themselves: larger ones may take long to
/// arrive.
const MEDIUM: usize = MIB;
const MEDIUM_SHARE: u32 = 8;
/// How long the next bytes of a body may take: a client that stops sending must release its memory
/// permit.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Additional time for each MiB of a body: a client must not keep its permit by sending a byte now
/// and then.
const TIMEOUT_PER_MIB: Duration = Duration::from_secs(4);

/// How large one body, and all bodies together, may be.
pub(crate) struct BodyLimits {
    max_body: usize,
    small_kibs: Arc<Semaphore>,
    kibs: Arc<Semaphore>,
    idle_timeout: Duration,
}

/// A body that was read, and its memory permit.
#[derive(Debug)]
pub(crate) struct RawBody {
    pub(crate) bytes: Bytes,
    pub(crate) memory: OwnedSemaphorePermit,
}

impl BodyLimits {
    pub(crate) fn new(max_body_mb: u32, max_bodies_mb: u32) -> Self {
        let small_mb = (max_bodies_mb / MEDIUM_SHARE).max(1);
        let others_mb = max_bodies_mb.saturating_sub(small_mb).max(max_body_mb);
        let kibs = |mb: u32| Arc::new(Semaphore::new(mb as usize * KIB));
        Self {
            max_body: max_body_mb as usize * MIB,
            small_kibs: kibs(small_mb),
            kibs: kibs(others_mb),
            idle_timeout: IDLE_TIMEOUT,
        }
    }

    /// Reads a JSON body. Waits, without reading, while other bodies use all memory permits.
    pub(crate) async fn read(&self, request: Request) -> Result<RawBody, ApiError> {
        let (head, body) = request.into_parts();
        check_content_type(&head.headers)?;
        check_encoding(&head.headers)?;
        self.read_any(&head.headers, body).await
    }

    /// Like [`BodyLimits::read`], for a body of any kind.
    pub(crate) async fn read_any(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<RawBody, ApiError> {
        let length = announced_length(headers);
        let n_bytes = length.unwrap_or(self.max_body);
        if n_bytes > self.max_body {
            return Err(self.too_large());
        }
        let n_kibs = u32::try_from(n_bytes / KIB + 1).unwrap_or(u32::MAX);
        let n_kibs = n_kibs.min(u32::try_from(self.max_body / KIB).unwrap_or(u32::MAX));
        let kibs = if n_bytes <= MEDIUM {
            &self.small_kibs
        } else {
            &self.kibs
        };
        let memory = Arc::clone(kibs).acquire_many_owned(n_kibs).await;
        let mut memory = memory.expect("the semaphore is never closed");
        let bytes = self.collect(body, length).await?;
        // A body without announced length got permits for the largest one.
        let used = memory.split(bytes.len() / KIB + 1);
        Ok(RawBody {
            bytes,
            memory: used.unwrap_or(memory),
        })
    }

    /// Reads the body. Most arrive in one piece, which is not copied.
    async fn collect(&self, mut body: Body, length: Option<usize>) -> Result<Bytes, ApiError> {
        let n_mibs = u32::try_from(length.unwrap_or(self.max_body) / MIB).unwrap_or(u32::MAX);
        let end = Instant::now() + self.idle_timeout + TIMEOUT_PER_MIB * n_mibs;
        let first = self.piece(&mut body, end).await?.unwrap_or_default();
        let Some(second) = self.piece(&mut body, end).await? else {
            return self.checked(first);
        };
        let n_bytes = length.unwrap_or(first.len() + second.len());
        let mut bytes = BytesMut::with_capacity(n_bytes.min(self.max_body));
        bytes.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(piece) = next {
            if bytes.len() + piece.len() > self.max_body {
                return Err(self.too_large());
            }
            bytes.extend_from_slice(&piece);
            next = self.piece(&mut body, end).await?;
        }
        self.checked(bytes.freeze())
    }

    /// Reads the next piece, which must arrive soon and before `end`.
    async fn piece(&self, body: &mut Body, end: Instant) -> Result<Option<Bytes>, ApiError> {
        loop {
            let soon = Instant::now() + self.idle_timeout;
            let frame = timeout_at(soon.min(end), body.frame()).await;
            let frame = frame.map_err(|_| {
                let seconds = self.idle_timeout.as_secs();
                let detail = if soon < end {
                    format!("no more of the body arrived for {seconds} s")
                } else {
                    "the body arrives too slowly".to_owned()
                };
                ApiError::new(StatusCode::REQUEST_TIMEOUT, detail)
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    let detail = format!("the body did not arrive whole: {error}");
                    return Err(ApiError::bad_request(detail));
                }
                // Trailers are ignored.
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
            }
        }
    }

    fn checked(&self, bytes: Bytes) -> Result<Bytes, ApiError> {
        if bytes.len() > self.max_body {
            return Err(self.too_large());
        }
        Ok(bytes)
    }

    fn too_large(&self) -> ApiError {
        let max_mb = self.max_body / KIB / KIB;
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the body is larger than {max_mb} MiB; select fewer tasks, or raise MAX_BODY_MB"
            ),
        )
    }
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Refuses a body without JSON type: a browser sends such a cross-origin request without a
/// preflight.
fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let media_type = content_type
        .and_then(|content_type| content_type.to_str().ok())
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    if media_type == "application/json" || media_type.ends_with("+json") {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("the body is {media_type:?}; send JSON with Content-Type: application/json"),
    ))
}

/// Refuses compressed bodies: Label Studio sends none, and one could expand to fill the memory.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the body is compressed; send it without Content-Encoding",
    ))
}

/// A body that is to be one JSON object.
pub(crate) struct ObjectBody<'a> {
    bytes: &'a Bytes,
    repaired: OnceLock<Bytes>,
}

impl<'a> ObjectBody<'a> {
    pub(crate) fn new(bytes: &'a Bytes) -> Self {
        Self {
            bytes,
            repaired: OnceLock::new(),
        }
    }

    /// Parses the object. JSON that only Python accepts, such as `NaN`, is repaired; other errors
    /// name the place.
    pub(crate) fn parse<'b, T: serde::Deserialize<'b>>(&'b self) -> Result<T, ApiError> {
        let text = object_text(self.bytes)?;
        let error = match serde_json::from_str(text) {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        if let Some(repaired) = repair_json(text) {
            let repaired = self.repaired.get_or_init(|| repaired.into());
            if let Ok(object) = serde_json::from_slice(repaired) {
                return Ok(object);
            }
        }
        let detail = format!("the body is not as expected: {error}");
        Err(ApiError::bad_request(detail))
    }

    /// Returns the bytes that the object was read from.
    pub(crate) fn source(&self) -> &Bytes {
        self.repaired.get().unwrap_or(self.bytes)
    }
}

/// Returns the text of one JSON object, without the byte order mark that some clients send.
fn object_text(bytes: &Bytes) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ApiError::bad_request("the body is not valid UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text
        .trim_start_matches([' ', '\n', '\r', '\t'])
        .chars()
        .next()
    {
        Some('{') => Ok(text),
        None => Err(ApiError::bad_request(
            "the body is empty; send a JSON object",
        )),
        Some(_) => Err(ApiError::bad_request("the body is not a JSON object")),
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::Pin, task};

    use hyper::body::Frame;

    use super::*;

    /// A body that sends one piece and then nothing, for ever.
    struct Stuck(Option<Bytes>);

    /// A body that sends a space now and then, for ever.
    struct Trickle(bool);

    impl hyper::body::Body for Trickle {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut task::Context<'_>,
        ) -> task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0 = !self.0;
            if self.0 {
                cx.waker().wake_by_ref();
                return task::Poll::Pending;
            }
            task::Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
        }
    }

    impl hyper::body::Body for Stuck {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut task::Context<'_>,
        ) -> task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            match self.0.take() {
                Some(piece) => task::Poll::Ready(Some(Ok(Frame::data(piece)))),
                None => task::Poll::Pending,
            }
        }
    }

    fn request(length: Option<usize>, body: Body) -> Request {
        let mut request = Request::new(body);
        let json = axum::http::HeaderValue::from_static("application/json");
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        request
    }

    #[tokio::test]
    async fn a_caller_that_stops_sending_gives_its_share_back() {
        let limits = BodyLimits {
            idle_timeout: Duration::from_millis(1),
            ..BodyLimits::new(1, 1)
        };
        let stuck = request(None, Body::new(Stuck(Some(Bytes::from_static(b"{")))));
        let error = limits.read(stuck).await.expect_err("the body never ends");
        assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
        let whole = limits.read(request(None, Body::from("{}"))).await;
        assert_eq!(whole.expect("there is room again").bytes, "{}");
    }
    #[tokio::test]
    async fn a_caller_that_sends_a_byte_now_and_then_is_not_waited_for() {
        let limits = BodyLimits {
            idle_timeout: Duration::from_millis(5),
            ..BodyLimits::new(1, 1)
        };
        let trickle = request(Some(MIB - 1), Body::new(Trickle(false)));
        let error = limits.read(trickle).await.expect_err("the body never ends");
        assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(error.detail(), "the body arrives too slowly");
    }

    #[tokio::test]
    async fn large_bodies_on_their_way_do_not_hold_up_small_ones() {
        let limits = Arc::new(BodyLimits::new(2, 4));
        let stuck: Vec<_> = (0..3)
            .map(|_| {
                let limits = Arc::clone(&limits);
                let body = Body::new(Stuck(Some(Bytes::from_static(b"{"))));
                tokio::spawn(async move { limits.read(request(Some(2 * MIB), body)).await })
            })
            .collect();
        while limits.kibs.available_permits() > 2 * KIB {
            tokio::task::yield_now().await;
        }
        let small = limits.read(request(Some(2), Body::from("{}"))).await;
        assert_eq!(small.expect("there is room").bytes, "{}");
        stuck.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

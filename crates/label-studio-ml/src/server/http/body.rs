//! Reading request bodies, with a bound on the memory of all bodies.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::{Instant, timeout_at};

use crate::server::http::{
    body_headers::{announced_length, check_content_type, check_encoding},
    errors::ApiError,
    memory::{Memory, MemoryPermit},
    replies::json_response,
};

const KIB: usize = 1024;
const MIB: usize = KIB * KIB;
/// Larger bodies are parsed on a blocking thread, so that they do not delay small requests.
pub(crate) const SMALL: usize = 64 * KIB;
/// Bodies up to this size have an eighth of the memory for themselves: larger ones may take long to
/// arrive.
const MEDIUM: usize = MIB;
const MEDIUM_SHARE: usize = 8;
/// How long the next bytes of a body may take: a client that stops sending must release its memory.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Additional time for each MiB that has arrived: a client must not keep its memory by sending a
/// byte now and then.
const TIMEOUT_PER_MIB: Duration = Duration::from_secs(4);

/// Room for a body of an announced length, as a multiple of what has arrived.
const STEP: usize = 8;

/// How large one body, and all bodies and answers together, may be.
pub(crate) struct BodyLimits {
    max_body: usize,
    medium: Arc<Memory>,
    large: Arc<Memory>,
    idle_timeout: Duration,
}

/// A body that was read, and its memory permit.
#[derive(Debug)]
pub(crate) struct RawBody {
    pub(crate) bytes: Bytes,
    pub(crate) memory: MemoryPermit,
}

/// A body that arrives.
struct Arriving {
    body: Body,
    started: Instant,
    n_bytes: usize,
    /// Time that the server, not the client, took.
    waited: Duration,
}

/// The bytes of an answer, and their memory permit.
struct HeldBytes {
    bytes: Bytes,
    _memory: MemoryPermit,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyLimits {
    pub(crate) fn new(max_body_mb: u32, max_bodies_mb: u32) -> Self {
        let (max_body, all) = (max_body_mb as usize * MIB, max_bodies_mb as usize * MIB);
        let medium = (all / MEDIUM_SHARE).max(MEDIUM);
        let large = all.saturating_sub(medium).max(max_body);
        Self {
            max_body,
            medium: Memory::new(medium, MEDIUM),
            large: Memory::new(large, max_body),
            idle_timeout: IDLE_TIMEOUT,
        }
    }

    /// Reads a JSON body. Waits, without reading, while other bodies use all memory.
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
        if length.is_some_and(|length| length > self.max_body) {
            return Err(self.too_large());
        }
        // Memory is taken as bytes arrive: announcing many costs a client nothing.
        let mut memory = self.memory_of(length.unwrap_or(self.max_body)).permit();
        let mut arriving = Arriving {
            body,
            started: Instant::now(),
            n_bytes: 0,
            waited: Duration::ZERO,
        };
        let first = self.piece(&mut arriving, &mut memory).await?;
        let first = first.unwrap_or_default();
        // Most bodies arrive in one piece, which is not copied.
        let Some(second) = self.piece(&mut arriving, &mut memory).await? else {
            let bytes = first;
            return Ok(RawBody { bytes, memory });
        };
        let mut bytes = Vec::new();
        let mut next = Some(second);
        append(&mut bytes, &first, length);
        while let Some(piece) = next {
            append(&mut bytes, &piece, length);
            next = self.piece(&mut arriving, &mut memory).await?;
        }
        let bytes = bytes.into();
        Ok(RawBody { bytes, memory })
    }

    /// Returns an answer of JSON. A large one waits for memory, which it keeps until it is sent, and
    /// holds `permits` of the call until then.
    pub(crate) async fn answer(
        &self,
        json: impl Into<Bytes>,
        permits: impl Send,
    ) -> Result<Response, ApiError> {
        let bytes: Bytes = json.into();
        if bytes.len() <= SMALL {
            return Ok(json_response(StatusCode::OK, bytes));
        }
        let mut memory = self.memory_of(bytes.len()).permit();
        memory.grow_to(bytes.len()).await?;
        drop(permits);
        let held = HeldBytes {
            bytes,
            _memory: memory,
        };
        Ok(json_response(StatusCode::OK, Bytes::from_owner(held)))
    }

    fn memory_of(&self, n_bytes: usize) -> &Arc<Memory> {
        if n_bytes <= MEDIUM {
            &self.medium
        } else {
            &self.large
        }
    }

    /// Reads the next piece, which must arrive soon and fast enough, and takes memory for it.
    async fn piece(
        &self,
        arriving: &mut Arriving,
        memory: &mut MemoryPermit,
    ) -> Result<Option<Bytes>, ApiError> {
        loop {
            if arriving.body.is_end_stream() {
                return Ok(None);
            }
            let idle_end = Instant::now() + self.idle_timeout;
            let rate_end = arriving.end(self.idle_timeout);
            let frame = timeout_at(idle_end.min(rate_end), arriving.body.frame()).await;
            let frame = frame.map_err(|_| {
                let seconds = self.idle_timeout.as_secs();
                let detail = if idle_end < rate_end {
                    format!("no more of the body arrived for {seconds} s")
                } else {
                    "the body arrives too slowly".to_owned()
                };
                ApiError::new(StatusCode::REQUEST_TIMEOUT, detail)
            })?;
            let piece = match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    let detail = format!("the body did not arrive whole: {error}");
                    return Err(ApiError::bad_request(detail));
                }
                // Trailers are ignored.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => piece,
                    Err(_) => continue,
                },
            };
            arriving.n_bytes += piece.len();
            if arriving.n_bytes > self.max_body {
                return Err(self.too_large());
            }
            if !memory.try_grow_to(arriving.n_bytes) {
                let waiting = Instant::now();
                memory.grow_to(arriving.n_bytes).await?;
                arriving.waited += waiting.elapsed();
            }
            return Ok(Some(piece));
        }
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

impl Arriving {
    /// Returns when the next piece must be here, given how much has arrived.
    fn end(&self, idle_timeout: Duration) -> Instant {
        let n_kibs = u32::try_from(self.n_bytes / KIB).unwrap_or(u32::MAX);
        self.started + self.waited + idle_timeout + TIMEOUT_PER_MIB / 1024 * n_kibs
    }
}

/// Appends a piece. Room for more is made in steps, and not for all that a client announces. The
/// steps are large, since each copies what has arrived; room that is not used yet takes no memory.
fn append(bytes: &mut Vec<u8>, piece: &[u8], length: Option<usize>) {
    let needed = bytes.len() + piece.len();
    if needed > bytes.capacity() {
        let (step, most) = length.map_or((2, usize::MAX), |length| (STEP, length));
        let capacity = (needed * step).max(MIB).min(most).max(needed);
        bytes.reserve_exact(capacity - bytes.len());
    }
    bytes.extend_from_slice(piece);
}

#[cfg(test)]
mod tests {
    use std::{pin::Pin, task};

    use axum::http::header;
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
        let almost_all = Bytes::from(vec![b' '; 2 * MIB - 1]);
        let stuck: Vec<_> = (0..3)
            .map(|_| {
                let (limits, sent) = (Arc::clone(&limits), almost_all.clone());
                let body = Body::new(Stuck(Some(sent)));
                tokio::spawn(async move { limits.read(request(Some(2 * MIB), body)).await })
            })
            .collect();
        let other = limits.large.permit();
        while !other.would_wait(2 * MIB) {
            tokio::task::yield_now().await;
        }
        let small = limits.read(request(Some(2), Body::from("{}"))).await;
        assert_eq!(small.expect("there is room").bytes, "{}");
        stuck.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn clients_that_announce_bodies_and_send_nothing_take_no_memory() {
        let limits = Arc::new(BodyLimits::new(2, 4));
        let stuck: Vec<_> = (0..80)
            .map(|_| {
                let limits = Arc::clone(&limits);
                let body = Body::new(Stuck(None));
                tokio::spawn(async move { limits.read(request(Some(MIB), body)).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let body = Body::from("{}".to_owned() + &" ".repeat(MIB - 2));
        let whole = limits.read(request(Some(MIB), body)).await;
        assert_eq!(whole.expect("there is room").bytes.len(), MIB);
        stuck.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test]
    async fn an_answer_keeps_its_memory_until_it_is_sent() {
        let limits = BodyLimits::new(1, 2);
        let large = vec![b' '; MIB + 1];
        let answer = limits
            .answer(large.clone(), ())
            .await
            .expect("there is room");
        let other = limits.large.permit();
        assert!(other.would_wait(1));
        let sent = answer.into_body().collect().await.expect("it is in memory");
        assert_eq!(sent.to_bytes().len(), large.len());
        assert!(!other.would_wait(1));
    }
}

//! Reading request bodies, with a bound on what is in memory at once.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;

const KIB: usize = 1024;
/// Time for the next bytes of a body: a caller that stops sending must not keep its share of the memory.
const PATIENCE: Duration = Duration::from_secs(30);

/// How large one body, and all bodies together, may be.
pub(super) struct BodyLimits {
    max_body: usize,
    kibs: Arc<Semaphore>,
    patience: Duration,
}

/// A body that was read, and its share of the memory for bodies.
#[derive(Debug)]
pub(super) struct JsonBody {
    pub(super) bytes: Bytes,
    pub(super) share: OwnedSemaphorePermit,
}

impl BodyLimits {
    pub(super) fn new(max_body_mb: u32, max_bodies_mb: u32) -> Self {
        let max_bodies_mb = max_bodies_mb.max(max_body_mb);
        Self {
            max_body: max_body_mb as usize * KIB * KIB,
            kibs: Arc::new(Semaphore::new(max_bodies_mb as usize * KIB)),
            patience: PATIENCE,
        }
    }

    /// Reads a JSON body. Waits, without reading, while other bodies fill the memory for them.
    pub(super) async fn read(&self, request: Request) -> Result<JsonBody, ApiError> {
        let (head, body) = request.into_parts();
        check_content_type(&head.headers)?;
        let length = announced_length(&head.headers);
        let n_bytes = length.unwrap_or(self.max_body);
        if n_bytes > self.max_body {
            return Err(self.too_large());
        }
        let n_kibs = u32::try_from(n_bytes / KIB + 1).unwrap_or(u32::MAX);
        let n_kibs = n_kibs.min(u32::try_from(self.max_body / KIB).unwrap_or(u32::MAX));
        let share = Arc::clone(&self.kibs).acquire_many_owned(n_kibs).await;
        let mut share = share.expect("the semaphore is never closed");
        let bytes = self.collect(body, length).await?;
        // A body that did not say its length was given room for the largest.
        let used = share.split(bytes.len() / KIB + 1);
        Ok(JsonBody {
            bytes,
            share: used.unwrap_or(share),
        })
    }

    /// Reads the body; one that arrives in one piece, as most do, is not copied.
    async fn collect(&self, mut body: Body, length: Option<usize>) -> Result<Bytes, ApiError> {
        let first = self.piece(&mut body).await?.unwrap_or_default();
        let Some(second) = self.piece(&mut body).await? else {
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
            next = self.piece(&mut body).await?;
        }
        self.checked(bytes.freeze())
    }

    async fn piece(&self, body: &mut Body) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = tokio::time::timeout(self.patience, body.frame()).await;
            let frame = frame.map_err(|_| {
                let seconds = self.patience.as_secs();
                let detail = format!("no more of the body arrived for {seconds} s");
                ApiError::new(StatusCode::REQUEST_TIMEOUT, detail)
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    let detail = format!("the body did not arrive whole: {error}");
                    return Err(ApiError::bad_request(detail));
                }
                // Trailers say nothing that is needed.
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

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let media_type = content_type
        .to_str()
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

/// Returns the body as the text of one JSON object, without the byte order mark that some clients put before it.
pub(super) fn object_text(bytes: &Bytes) -> Result<&str, ApiError> {
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

/// Reads the body's text, with an error that says what is wrong where.
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, ApiError> {
    serde_json::from_str(text)
        .map_err(|error| ApiError::bad_request(format!("the body is not as expected: {error}")))
}

#[cfg(test)]
mod tests {
    use std::{pin::Pin, task};

    use hyper::body::Frame;

    use super::*;

    /// A body that sends one piece and then nothing, for ever.
    struct Stuck(Option<Bytes>);

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

    #[tokio::test]
    async fn a_caller_that_stops_sending_gives_its_share_back() {
        let limits = BodyLimits {
            patience: Duration::from_millis(1),
            ..BodyLimits::new(1, 1)
        };
        let request = Request::new(Body::new(Stuck(Some(Bytes::from_static(b"{")))));
        let error = limits.read(request).await.expect_err("the body never ends");
        assert_eq!(error.status(), StatusCode::REQUEST_TIMEOUT);
        let whole = limits.read(Request::new(Body::from("{}"))).await;
        assert_eq!(whole.expect("there is room again").bytes, "{}");
    }
}

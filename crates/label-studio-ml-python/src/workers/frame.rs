//! The frames on a worker's sockets.
//!
//! A call is `u32 length, u8 route, u64 call, body`, its answer `u32 length, u16 status, body`. Numbers are big-endian; the
//! length counts what follows it. For [`Route::Custom`] the body begins with a head, `u32 length, JSON`: the request line and
//! headers of a call, the headers of an answer. Status 0 means that the app has no such route.
//!
//! Before the answer to [`Route::Webhook`] there may be frames about its job, with a status below 100: [`PROGRESS`] with
//! `f64 fraction` (NaN if unknown) and a message, [`LOG`] with a line. A frame of [`CANCEL`], without body, follows a call to
//! cancel it; the worker ignores one that arrives after its answer.
//!
//! The control connection carries JSON objects, each after its length.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connection::Connection;

const LENGTH: usize = 4;
const CALL: usize = 9;
const STATUS: usize = 2;
/// Status of a frame with the progress of a job.
pub(super) const PROGRESS: u16 = 1;
/// Status of a frame with a line for the log of a job.
pub(super) const LOG: u16 = 2;
/// First status of an answer.
const FIRST_STATUS: u16 = 100;
/// Route of a frame that cancels the call before it.
const CANCEL: u8 = 5;
/// Initial buffer for an answer.
const USUAL_ANSWER: usize = 8 * 1024;

/// The route of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Predict = 1,
    Setup = 2,
    Webhook = 3,
    /// A custom route of the app.
    Custom = 4,
}

/// A call, as it is sent.
#[derive(Debug)]
pub(super) struct CallFrame<'a> {
    pub(super) route: Route,
    pub(super) call: u64,
    /// Request line and headers, for [`Route::Custom`].
    pub(super) custom_head: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// An answer of a worker.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl CallFrame<'_> {
    /// Sends the call. The body is not copied.
    pub(super) async fn send(&self, connection: &mut Connection) -> io::Result<()> {
        let n_custom = self.custom_head.map_or(0, |head| LENGTH + head.len());
        let length = u32::try_from(CALL + n_custom + self.body.len()).map_err(io::Error::other)?;
        let mut head = BytesMut::with_capacity(LENGTH + CALL + n_custom);
        head.put_u32(length);
        head.put_u8(self.route as u8);
        head.put_u64(self.call);
        if let Some(custom_head) = self.custom_head {
            head.put_u32(u32::try_from(custom_head.len()).map_err(io::Error::other)?);
            head.put_slice(custom_head.as_bytes());
        }
        connection.write_all(head.chain(self.body)).await
    }
}

/// Asks the worker to end the call that it works on.
pub(super) async fn send_cancel(connection: &mut Connection, call: u64) -> io::Result<()> {
    let mut frame = BytesMut::with_capacity(LENGTH + CALL);
    frame.put_u32(u32::try_from(CALL).map_err(io::Error::other)?);
    frame.put_u8(CANCEL);
    frame.put_u64(call);
    connection.write_all(frame).await
}

/// Receives an answer. The body is not copied.
pub(super) async fn receive(connection: &mut Connection) -> io::Result<Answer> {
    Frames::default().next(connection).await
}

/// Frames of a worker for one call. They may arrive together.
#[derive(Default)]
pub(super) struct Frames {
    buffer: BytesMut,
}

impl Frames {
    /// Receives the next frame. The body is not copied. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, connection: &mut Connection) -> io::Result<Answer> {
        let buffer = &mut self.buffer;
        if buffer.capacity() == 0 {
            buffer.reserve(USUAL_ANSWER);
        }
        let length = loop {
            if let Some(length) = buffer.first_chunk() {
                break u32::from_be_bytes(*length) as usize;
            }
            connection.read(buffer).await?;
        };
        if length < STATUS {
            return Err(io::ErrorKind::InvalidData.into());
        }
        buffer.reserve((LENGTH + length).saturating_sub(buffer.len()));
        while buffer.len() < LENGTH + length {
            connection.read(buffer).await?;
        }
        buffer.advance(LENGTH);
        let mut frame = buffer.split_to(length).freeze();
        let status = frame.get_u16();
        Ok(Answer {
            status,
            body: frame,
        })
    }
}

impl Answer {
    /// Returns whether the call has ended with it. Else it is a frame about the call's job.
    pub(super) const fn is_last(&self) -> bool {
        self.status >= FIRST_STATUS
    }
}

/// Sends a JSON object.
pub(super) async fn send_json(
    stream: &mut (impl AsyncWrite + Unpin),
    json: &serde_json::Value,
) -> io::Result<()> {
    let text = json.to_string();
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    stream.write_u32(length).await?;
    stream.write_all(text.as_bytes()).await
}

/// Receives a JSON value, and nothing of what comes after it.
pub(super) async fn receive_json<T: serde::de::DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let length = stream.read_u32().await? as usize;
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await?;
    serde_json::from_slice(&text).map_err(io::Error::other)
}

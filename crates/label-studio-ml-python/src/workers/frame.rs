//! The frames on a worker's sockets.
//!
//! A call is `u32 length, u8 route, u64 call, body`, its answer `u32 length, u16 status, body`. Numbers are big-endian; the
//! length counts what follows it. For [`Route::Custom`] the body begins with a head, `u32 length, JSON`: the request line and
//! headers of a call, the headers of an answer. Status 0 means that the app has no such route. The control connection carries
//! JSON objects, each after its length.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connection::Connection;

const LENGTH: usize = 4;
const CALL: usize = 9;
const STATUS: usize = 2;
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

/// An answer of a worker.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// Sends a call. The body is not copied.
pub(super) async fn send(
    connection: &mut Connection,
    route: Route,
    call: u64,
    custom_head: Option<&str>,
    body: &Bytes,
) -> io::Result<()> {
    let n_custom = custom_head.map_or(0, |custom_head| LENGTH + custom_head.len());
    let length = u32::try_from(CALL + n_custom + body.len()).map_err(io::Error::other)?;
    let mut head = BytesMut::with_capacity(LENGTH + CALL + n_custom);
    head.put_u32(length);
    head.put_u8(route as u8);
    head.put_u64(call);
    if let Some(custom_head) = custom_head {
        head.put_u32(u32::try_from(custom_head.len()).map_err(io::Error::other)?);
        head.put_slice(custom_head.as_bytes());
    }
    connection.write_all(head.chain(&body[..])).await
}

/// Receives an answer. The body is not copied.
pub(super) async fn receive(connection: &mut Connection) -> io::Result<Answer> {
    let mut frame = read_frame(connection).await?;
    if frame.len() < STATUS {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let status = frame.get_u16();
    Ok(Answer {
        status,
        body: frame,
    })
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

async fn read_frame(connection: &mut Connection) -> io::Result<Bytes> {
    let mut buffer = BytesMut::with_capacity(USUAL_ANSWER);
    while buffer.len() < LENGTH {
        connection.read(&mut buffer).await?;
    }
    let length = buffer.get_u32() as usize;
    buffer.reserve(length.saturating_sub(buffer.len()));
    while buffer.len() < length {
        connection.read(&mut buffer).await?;
    }
    Ok(buffer.split_to(length).freeze())
}

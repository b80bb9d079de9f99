//! A connection to a worker, for one call after the other.

use std::{io, os::fd::AsFd};

use bytes::{Buf, BytesMut};
use rustix::io::Errno;
use tokio::{
    io::AsyncReadExt,
    net::{UnixStream, unix::pipe},
};

/// Slices per `writev`: a head and a body.
const PIECES: usize = 2;

/// A connection that registers for read readiness only. tokio's `UnixStream` also registers for write readiness, which the
/// kernel reports whenever the worker reads: one more wake-up per call. tokio's pipe receiver reads from a socket just as
/// well and registers for reading only.
#[derive(Debug)]
pub(super) struct Connection {
    receiver: pipe::Receiver,
}

impl Connection {
    /// Must be called within a tokio runtime.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        let receiver = pipe::Receiver::from_owned_fd_unchecked(stream.into_std()?.into())?;
        Ok(Self { receiver })
    }

    pub(super) async fn write_all(&mut self, mut bytes: impl Buf) -> io::Result<()> {
        while bytes.has_remaining() {
            let mut pieces = [io::IoSlice::new(&[]); PIECES];
            let n_pieces = bytes.chunks_vectored(&mut pieces);
            match rustix::io::writev(&self.receiver, &pieces[..n_pieces]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n_bytes) => bytes.advance(n_bytes),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait_for_room().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Appends what has arrived.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<()> {
        match self.receiver.read_buf(buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Waits until the socket takes more of a large body.
    async fn wait_for_room(&self) -> io::Result<()> {
        let socket = self.receiver.as_fd().try_clone_to_owned()?;
        let sender = pipe::Sender::from_owned_fd_unchecked(socket)?;
        sender.writable().await
    }
}

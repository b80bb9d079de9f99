//! A stream that gives up on a client that does not read its answer.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long [`MIN_BYTES`] of an answer may take, once the client's buffers are full.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
const MIN_BYTES: usize = 1024 * 1024;

/// Fails writes once a client reads an answer too slowly.
pub(crate) struct WriteTimeout<S> {
    stream: S,
    timeout: Duration,
    stalled: Option<Stalled>,
}

/// A write that had to wait, and what was written since.
struct Stalled {
    deadline: Pin<Box<Sleep>>,
    n_written: usize,
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(stream: S, timeout: Duration) -> Self {
        Self {
            stream,
            timeout,
            stalled: None,
        }
    }

    /// Passes the result of a write on, unless writes have waited too long.
    fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                let timeout = self.timeout;
                let stalled = self.stalled.get_or_insert_with(|| Stalled {
                    deadline: Box::pin(sleep(timeout)),
                    n_written: 0,
                });
                ready!(stalled.deadline.as_mut().poll(cx));
                let detail = "the client reads its answer too slowly";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, detail)))
            }
            Poll::Ready(Ok(n_bytes)) => {
                if let Some(stalled) = &mut self.stalled {
                    stalled.n_written += n_bytes;
                    if stalled.n_written >= MIN_BYTES {
                        self.stalled = None;
                    }
                }
                written
            }
            Poll::Ready(Err(_)) => written,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes once all of an answer is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.stalled = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_given_up() {
        let (server, _client) = duplex(1024);
        let mut server = WriteTimeout::new(server, WRITE_TIMEOUT);
        let error = server.write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_a_byte_now_and_then_is_given_up() {
        let (server, mut client) = duplex(1024);
        let mut server = WriteTimeout::new(server, WRITE_TIMEOUT);
        let answer = vec![0; 64 * 1024];
        let reading = async {
            loop {
                sleep(Duration::from_secs(1)).await;
                client.read_u8().await.unwrap();
            }
        };
        tokio::select! {
            written = server.write_all(&answer) => {
                assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
            () = reading => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_steadily_gets_a_large_answer() {
        let (server, mut client) = duplex(64 * 1024);
        let mut server = WriteTimeout::new(server, WRITE_TIMEOUT);
        let answer = vec![0; 8 * MIN_BYTES];
        let reading = tokio::spawn(async move {
            let (mut n_read, mut buffer) = (0, vec![0; 64 * 1024]);
            while n_read < 8 * MIN_BYTES {
                n_read += client.read(&mut buffer).await.unwrap();
                sleep(Duration::from_millis(300)).await;
            }
        });
        server.write_all(&answer).await.unwrap();
        reading.await.unwrap();
    }
}

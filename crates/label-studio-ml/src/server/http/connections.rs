//! HTTP connections: accepting them, and time-outs for idle ones.

use std::{
    future::poll_fn,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tower::Service;

use crate::{
    raw::model::ConnectionAddresses,
    server::http::{
        socket::{Acceptor, ListeningSocket, Stream},
        write_timeout::{WRITE_TIMEOUT, WriteTimeout},
    },
};

/// How long the headers of a request, and the next request on a connection, may take. Label Studio
/// opens a connection per call.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection without running call stays open once the server closes: for answers that
/// are being sent.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval of a timer that does nothing. tokio wakes itself when a new timer becomes the next one;
/// this timer is due before those of requests, which saves each request a wake-up.
const TICK: Duration = Duration::from_secs(10);
/// Largest size of request line and headers; more is refused with 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Pause after a failed `accept`, as when the process has too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Limits of time of a connection.
#[derive(Clone, Copy)]
struct Timeouts {
    header: Duration,
    write: Duration,
    close: Duration,
}

/// Answers requests on one socket until `stopped`, then finishes the running requests.
pub(crate) async fn serve(
    socket: ListeningSocket,
    router: Router,
    stopped: impl Future<Output = ()>,
) -> io::Result<()> {
    let timeouts = Timeouts {
        header: HEADER_TIMEOUT,
        write: WRITE_TIMEOUT,
        close: CLOSE_TIMEOUT,
    };
    serve_with_timeouts(timeouts, socket, router, stopped).await
}

async fn serve_with_timeouts(
    timeouts: Timeouts,
    socket: ListeningSocket,
    router: Router,
    stopped: impl Future<Output = ()>,
) -> io::Result<()> {
    let acceptor = Acceptor::new(socket)?;
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.header)
        .max_header_size(MAX_HEAD_BYTES);
    let connections = Connections {
        protocol,
        timeouts,
        open: GracefulShutdown::new(),
        is_closing: Arc::default(),
    };
    let mut stopped = pin!(stopped);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let (stream, addresses) = tokio::select! {
            accepted = next(&acceptor) => accepted,
            _ = ticks.tick() => continue,
            () = &mut stopped => break,
        };
        let router = router.clone();
        match stream {
            Stream::Tcp(stream) => connections.answer(stream, addresses, router),
            Stream::Unix(stream) => connections.answer(stream, addresses, router),
        }
    }
    drop(acceptor);
    connections.is_closing.store(true, Ordering::Relaxed);
    connections.open.shutdown().await;
    Ok(())
}

/// The open connections of a socket.
struct Connections {
    protocol: http1::Builder,
    timeouts: Timeouts,
    open: GracefulShutdown,
    is_closing: Arc<AtomicBool>,
}

impl Connections {
    /// Answers the requests on one connection, and adds its addresses to their extensions.
    fn answer(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        addresses: ConnectionAddresses,
        router: Router,
    ) {
        let n_calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&n_calls);
        // Adapters between the traits of tower and hyper would copy each request several times.
        let service = service_fn(move |request: Request<Incoming>| {
            let running = Running::enter(&counted);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(addresses);
            // A router is always ready.
            let answer = router.clone().call(request);
            async move {
                let answer = answer.await;
                drop(running);
                answer
            }
        });
        let stream = TokioIo::new(WriteTimeout::new(stream, self.timeouts.write));
        let connection = self.protocol.serve_connection(stream, service);
        let connection = self.open.watch(connection);
        let close = self.timeouts.close;
        let is_closing = Arc::clone(&self.is_closing);
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // The shutdown of `open` wakes every connection. Waiting for it here as well would cost
            // each request more than this flag does.
            let ended = poll_fn(|cx| match connection.as_mut().poll(cx) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                Poll::Pending if is_closing.load(Ordering::Relaxed) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            let ended = if let Some(ended) = ended.await {
                ended
            } else {
                tokio::select! {
                    ended = connection => ended,
                    () = without_call(&n_calls, close) => {
                        tracing::debug!("connection closed at the end: its client reads no answer");
                        return;
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!("connection ended: {error}");
            }
        });
    }
}

/// Counts one running call of a connection until it is dropped.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn enter(n_calls: &Arc<AtomicUsize>) -> Self {
        n_calls.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(n_calls))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns once the connection has had no running call for the time `close`.
async fn without_call(n_calls: &AtomicUsize, close: Duration) {
    let mut last_call = Instant::now();
    loop {
        tokio::time::sleep(close / 10).await;
        if n_calls.load(Ordering::Relaxed) > 0 {
            last_call = Instant::now();
        } else if last_call.elapsed() >= close {
            return;
        }
    }
}

/// Waits for the next connection.
async fn next(acceptor: &Acceptor) -> (Stream, ConnectionAddresses) {
    loop {
        match acceptor.accept().await {
            Ok(accepted) => return accepted,
            // The client has disconnected already.
            Err(error) if is_from_client(&error) => {}
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_from_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

/// Raises the limit of open files to its maximum: each connection is a file, and the usual limit is
/// 1024.
#[cfg(unix)]
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!("cannot raise the limit of open files: {error}");
    }
}

#[cfg(not(unix))]
pub(crate) fn raise_file_limit() {}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    use axum::routing::get;

    use super::*;

    /// A server with a very short header time-out, until dropped.
    struct ShortTimeout {
        address: std::net::SocketAddr,
        _stop: tokio::sync::oneshot::Sender<()>,
    }

    impl ShortTimeout {
        fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let address = listener.local_addr().unwrap();
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            thread::spawn(move || {
                let router = Router::new().route("/", get(|| async { "here" }));
                let stopped = async {
                    let _ = stopped.await;
                };
                let timeouts = Timeouts {
                    header: Duration::from_millis(20),
                    write: Duration::from_millis(20),
                    close: Duration::from_millis(20),
                };
                runtime.block_on(serve_with_timeouts(
                    timeouts,
                    ListeningSocket::Tcp(listener),
                    router,
                    stopped,
                ))
            });
            Self {
                address,
                _stop: stop,
            }
        }

        /// Sends `head` and returns all that comes until the server closes the connection.
        fn answer(&self, head: &str) -> String {
            let mut stream = TcpStream::connect(self.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer
        }
    }

    #[test]
    fn a_client_that_never_ends_its_headers_is_disconnected() {
        let server = ShortTimeout::start();
        for head in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
            let answer = server.answer(head);
            assert!(!answer.contains("here"), "{head:?}: {answer}");
        }
        assert!(
            server
                .answer("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                .ends_with("here"),
            "a whole one is answered, and then the connection is closed, too"
        );
    }
}

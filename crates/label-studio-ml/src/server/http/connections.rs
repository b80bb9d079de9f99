//! HTTP connections: accepting them, and time-outs for idle ones.

use std::{convert::Infallible, io, pin::pin, time::Duration};

use axum::{body::Body, http::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::{Service, ServiceExt};

use crate::{
    raw::model::ConnectionAddresses,
    server::http::socket::{Acceptor, ListeningSocket, Stream},
};

/// How long the headers of a request, and the next request on a connection, may take. Label Studio
/// opens a connection per call.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval of a timer that does nothing. tokio wakes itself when a new timer becomes the next one;
/// this timer is due before those of requests, which saves each request a wake-up.
const TICK: Duration = Duration::from_secs(10);
/// Largest size of request line and headers; more is refused with 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Pause after a failed `accept`, as when the process has too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests on one socket until `stopped`, then finishes the running requests.
pub(crate) async fn serve<S>(
    socket: ListeningSocket,
    service: S,
    stopped: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    serve_with_timeout(HEADER_TIMEOUT, socket, service, stopped).await
}

async fn serve_with_timeout<S>(
    header_timeout: Duration,
    socket: ListeningSocket,
    service: S,
    stopped: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let acceptor = Acceptor::new(socket)?;
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_header_size(MAX_HEAD_BYTES);
    let open = GracefulShutdown::new();
    let mut stopped = pin!(stopped);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let (stream, addresses) = tokio::select! {
            accepted = next(&acceptor) => accepted,
            _ = ticks.tick() => continue,
            () = &mut stopped => break,
        };
        let service = service.clone();
        match stream {
            Stream::Tcp(stream) => answer(&protocol, &open, stream, addresses, service),
            Stream::Unix(stream) => answer(&protocol, &open, stream, addresses, service),
        }
    }
    drop(acceptor);
    open.shutdown().await;
    Ok(())
}

/// Answers the requests on one connection, and adds its addresses to their extensions.
fn answer<S>(
    protocol: &http1::Builder,
    open: &GracefulShutdown,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    addresses: ConnectionAddresses,
    service: S,
) where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let service = service.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(addresses);
        request.map(Body::new)
    });
    let service = TowerToHyperService::new(service);
    let connection = protocol.serve_connection(TokioIo::new(stream), service);
    let connection = open.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("connection ended: {error}");
        }
    });
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

    use axum::{Router, routing::get};

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
                runtime.block_on(serve_with_timeout(
                    Duration::from_millis(20),
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

//! Sockets of a server.

use std::{
    fmt, io, net::TcpListener as StdTcpListener, os::unix::net::UnixListener as StdUnixListener,
    path::Path,
};

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::raw::model::ConnectionAddresses;

/// A listening socket.
#[derive(Debug)]
pub enum ListeningSocket {
    /// On an IP address.
    Tcp(StdTcpListener),
    /// A Unix socket.
    Unix(StdUnixListener),
}

impl ListeningSocket {
    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener) => Self::Unix(listener.try_clone()?),
        })
    }
}

impl fmt::Display for ListeningSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                // What a person can enter.
                Ok(address) if address.ip().is_unspecified() => {
                    write!(f, "http://localhost:{}", address.port())
                }
                Ok(address) => write!(f, "http://{address}"),
                Err(error) => write!(f, "an unknown address: {error}"),
            },
            Self::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                write!(f, "unix:{}", path.unwrap_or(Path::new("")).display())
            }
        }
    }
}

/// A listening socket within a runtime.
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection to a client.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Acceptor {
    pub(crate) fn new(socket: ListeningSocket) -> io::Result<Self> {
        Ok(match socket {
            ListeningSocket::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener)?),
            ListeningSocket::Unix(listener) => Self::Unix(UnixListener::from_std(listener)?),
        })
    }

    /// Waits for a connection.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, ConnectionAddresses)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, client) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                let addresses = ConnectionAddresses {
                    client: Some(client),
                    server: stream.local_addr().ok(),
                };
                Ok((Stream::Tcp(stream), addresses))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), ConnectionAddresses::default()))
            }
        }
    }
}

//! A PostgreSQL database that several replicas of a backend share: `CACHE_TYPE=postgres`.
//!
//! Two connections, each owned by a thread: one runs statements, the other listens for what other
//! replicas change. A client of the crate `postgres` runs a tokio runtime inside, which must not
//! happen on a thread of the server's own, where a quick model is called.

mod connection;
mod error;
mod listener;
mod schema;
mod server;

use std::sync::Arc;

use label_studio_sdk::http::NetworkOptions;
use postgres::Client;

pub use error::PostgresError;

pub(crate) use self::listener::{LOCK_CLASS, News};
use self::{
    connection::Connection,
    listener::{Listener, Subscribers},
    server::Server,
};

/// A database, as one process sees it. Nothing is connected before the first use; a connection
/// that is lost is made again.
///
/// Backends that share a database need a schema each, as in
/// `postgres://user:password@host/database?options=-c%20search_path%3Dmy_backend`.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    listener: Listener,
    subscribers: Arc<Subscribers>,
}

impl Database {
    /// Creates a handle for the database at `url`.
    ///
    /// With `sslmode=require` in the address the connection is encrypted, and the server's
    /// certificate is checked against the authorities of `network`; without it, it is plain.
    ///
    /// # Errors
    /// When the address cannot be read, or the certificate authorities.
    pub fn new(url: &str, network: NetworkOptions) -> Result<Self, PostgresError> {
        let server = Arc::new(Server::new(url, network)?);
        let subscribers = Arc::new(Subscribers::default());
        Ok(Self {
            connection: Connection::start(Arc::clone(&server))?,
            listener: Listener::start(server, Arc::clone(&subscribers))?,
            subscribers,
        })
    }

    /// Runs statements, and again when the connection was lost or another replica's statements came
    /// between. They may therefore run twice.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut Client) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, PostgresError> {
        self.connection.run(run)
    }

    /// Calls `hear` with whatever other replicas change, and this one.
    pub(crate) fn subscribe(&self, hear: Box<dyn Fn(News<'_>) + Send + Sync>) {
        self.subscribers.add(hear);
    }

    /// Returns the number by which other replicas know whether this process is alive.
    pub(crate) fn lock_number(&self) -> i32 {
        self.listener.lock_number()
    }
}

//! The connection that runs statements.

use std::{
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use postgres::{Client, error::SqlState};

use super::{PostgresError, server::Server};

/// Time after a failed attempt to connect in which no other is made, so that requests fail at once
/// instead of waiting one after another.
const PAUSE: Duration = Duration::from_secs(1);
/// How often statements run when those of other replicas come between.
const MAX_CONFLICTS: usize = 10;

type Work = Box<dyn FnOnce(&mut Link) + Send>;

/// A connection that belongs to a thread, which statements are sent to.
#[derive(Debug)]
pub(super) struct Connection(Sender<Work>);

/// The connection in its thread.
struct Link {
    server: Arc<Server>,
    client: Option<Client>,
    failed: Option<(Instant, String)>,
}

impl Connection {
    /// Starts the thread, which ends when this is dropped.
    pub(super) fn start(server: Arc<Server>) -> Result<Self, PostgresError> {
        let (sender, works) = mpsc::channel::<Work>();
        let mut link = Link {
            server,
            client: None,
            failed: None,
        };
        let run = move || works.into_iter().for_each(|work| work(&mut link));
        let spawned = thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(run);
        spawned.map_err(|_| PostgresError::Thread)?;
        Ok(Self(sender))
    }

    pub(super) fn run<T: Send + 'static>(
        &self,
        mut run: impl FnMut(&mut Client) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, PostgresError> {
        let (sender, result) = mpsc::sync_channel(1);
        let work: Work = Box::new(move |link| {
            // The caller waits for it.
            let _ = sender.send(link.run(&mut run));
        });
        self.0.send(work).map_err(|_| PostgresError::Thread)?;
        result.recv().map_err(|_| PostgresError::Thread)?
    }
}

impl Link {
    fn run<T>(
        &mut self,
        run: &mut dyn FnMut(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, PostgresError> {
        let mut n_conflicts = 0;
        let mut may_be_stale = self.client.is_some();
        loop {
            let mut client = self.connect()?;
            match run(&mut client) {
                Ok(value) => {
                    self.client = Some(client);
                    return Ok(value);
                }
                Err(error) if client.is_closed() || is_shutdown(&error) => {
                    // It may have been lost long ago, which shows only now.
                    if !std::mem::take(&mut may_be_stale) {
                        return Err(self.server.failed(error));
                    }
                }
                Err(error) => {
                    self.client = Some(client);
                    n_conflicts += 1;
                    if !is_conflict(&error) || n_conflicts == MAX_CONFLICTS {
                        return Err(self.server.failed(error));
                    }
                }
            }
        }
    }

    fn connect(&mut self) -> Result<Client, PostgresError> {
        if let Some(client) = self.client.take().filter(|client| !client.is_closed()) {
            return Ok(client);
        }
        if let Some((at, reason)) = &self.failed
            && at.elapsed() < PAUSE
        {
            return Err(PostgresError::Unreachable {
                address: self.server.address().to_owned(),
                reason: reason.clone(),
            });
        }
        let connected = self.server.connect();
        self.failed = match &connected {
            Ok(_) => None,
            Err(error) => Some((Instant::now(), chain(error))),
        };
        connected
    }
}

/// Returns an error with all its causes.
fn chain(error: &PostgresError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn is_shutdown(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
    })
}

/// Returns whether statements of another replica came between, so that all is well the next time.
fn is_conflict(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::UNIQUE_VIOLATION,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(code)
    })
}

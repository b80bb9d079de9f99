//! The connection that listens for what replicas change.

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use postgres::{Client, fallible_iterator::FallibleIterator};

use super::{PostgresError, schema, server::Server};

/// How soon the thread notices that it is not needed any more.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the connection is tried out while nothing arrives.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);
/// First number of the locks that show which processes are alive.
pub(crate) const LOCK_CLASS: i32 = 7_830_252;

/// What has changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum News<'a> {
    /// From now on changes are heard; what changed before is not known.
    Listening,
    /// Changes are not heard any more.
    Deaf,
    /// A value of a project: its id, the character U+001F, and the key. Empty for any value.
    Value(&'a str),
    /// Something about jobs.
    Jobs,
}

type Hear = Box<dyn Fn(News<'_>) + Send + Sync>;

/// Those who want to know what changes.
#[derive(Default)]
pub(super) struct Subscribers(RwLock<List>);

#[derive(Default)]
struct List {
    all: Vec<Hear>,
    is_listening: bool,
}

impl Subscribers {
    pub(super) fn add(&self, hear: Hear) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if list.is_listening {
            hear(News::Listening);
        }
        list.all.push(hear);
    }

    fn tell(&self, news: News<'_>) {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for hear in &list.all {
            hear(news);
        }
    }

    fn set_listening(&self, is_listening: bool) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        list.is_listening = is_listening;
        drop(list);
        self.tell(if is_listening {
            News::Listening
        } else {
            News::Deaf
        });
    }
}

impl fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribers").finish_non_exhaustive()
    }
}

/// The thread that listens, and holds the lock that shows that this process is alive.
#[derive(Debug)]
pub(super) struct Listener {
    lock_number: i32,
    is_closed: Arc<AtomicBool>,
}

impl Listener {
    /// Starts the thread, which ends when this is dropped.
    pub(super) fn start(
        server: Arc<Server>,
        subscribers: Arc<Subscribers>,
    ) -> Result<Self, PostgresError> {
        let random = uuid::Uuid::new_v4().as_u128();
        let lock_number = i32::try_from(random & 0x7FFF_FFFF).unwrap_or(1);
        let is_closed = Arc::new(AtomicBool::new(false));
        let ear = Ear {
            server,
            subscribers,
            lock_number,
            is_closed: Arc::clone(&is_closed),
        };
        let spawned = thread::Builder::new()
            .name("postgres-listen".to_owned())
            .spawn(move || ear.run());
        spawned.map_err(|_| PostgresError::Thread)?;
        Ok(Self {
            lock_number,
            is_closed,
        })
    }

    pub(super) fn lock_number(&self) -> i32 {
        self.lock_number
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

struct Ear {
    server: Arc<Server>,
    subscribers: Arc<Subscribers>,
    lock_number: i32,
    is_closed: Arc<AtomicBool>,
}

impl Ear {
    fn run(&self) {
        let mut was_reached = true;
        while !self.is_closed() {
            match self.listen() {
                Ok(()) => return,
                Err(error) => {
                    self.subscribers.set_listening(false);
                    let error = anyhow::Error::from(error);
                    // Those who use the database say so, too.
                    if std::mem::take(&mut was_reached) {
                        tracing::warn!("changes by other replicas are not heard: {error:#}");
                    } else {
                        tracing::debug!("changes by other replicas are not heard: {error:#}");
                    }
                }
            }
            let lost_at = Instant::now();
            while !self.is_closed() && lost_at.elapsed() < PAUSE {
                thread::sleep(PAUSE / 10);
            }
        }
    }

    /// Listens until the connection is lost, or this is not needed any more.
    fn listen(&self) -> Result<(), PostgresError> {
        let mut client = self.server.connect()?;
        let failed = |source| self.server.failed(source);
        let channel: String = client
            .query_one(schema::CHANNEL, &[])
            .map_err(failed)?
            .get(0);
        client
            .batch_execute(&format!("LISTEN {channel}"))
            .map_err(failed)?;
        let mut has_lock = self.take_lock(&mut client).map_err(failed)?;
        self.subscribers.set_listening(true);
        let mut last_ping = Instant::now();
        loop {
            self.hear(&mut client).map_err(failed)?;
            if self.is_closed() {
                return Ok(());
            }
            if !has_lock || last_ping.elapsed() >= PING_EVERY {
                last_ping = Instant::now();
                has_lock = if has_lock {
                    client.batch_execute("SELECT 1").map_err(failed)?;
                    true
                } else {
                    self.take_lock(&mut client).map_err(failed)?
                };
            }
        }
    }

    /// Tells the news that arrive, until none does for a moment.
    fn hear(&self, client: &mut Client) -> Result<(), postgres::Error> {
        let mut notifications = client.notifications();
        let mut news = notifications.timeout_iter(LOOK_EVERY);
        while let Some(notification) = news.next()? {
            match notification.payload().split_once(' ') {
                Some(("value", value)) => self.subscribers.tell(News::Value(value)),
                _ => self.subscribers.tell(News::Jobs),
            }
        }
        Ok(())
    }

    /// Takes the lock by which other replicas know that this process is alive. The session that
    /// held it before a reconnect may still have it.
    fn take_lock(&self, client: &mut Client) -> Result<bool, postgres::Error> {
        let statement = "SELECT pg_try_advisory_lock($1, $2)";
        let row = client.query_one(statement, &[&LOCK_CLASS, &self.lock_number])?;
        Ok(row.get(0))
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }
}

//! The default store: an SQLite file with the table of the Python original.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::{
    file_identity::{FileIdentity, IdentityCheck, remove_orphans},
    recent::{Known, Recent},
};
use crate::{
    project_id::ProjectId,
    store::{Store, StoreError},
};

const FILE_NAME: &str = "cache.db";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS cache (project_id TEXT, key TEXT, value TEXT, PRIMARY KEY (project_id, key))";
const READ: &str = "SELECT value FROM cache WHERE project_id = ?1 AND key = ?2";
const WRITE: &str = "INSERT INTO cache (project_id, key, value) VALUES (?1, ?2, ?3)
     ON CONFLICT (project_id, key) DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM cache WHERE project_id = ?1 AND key = ?2";
const VALUES: &str =
    "SELECT DISTINCT value FROM cache WHERE key = ?1 AND value IS NOT NULL ORDER BY value";
const PROJECTS: &str =
    "SELECT DISTINCT project_id FROM cache WHERE project_id IS NOT NULL ORDER BY project_id";
/// Another process may hold the write lock for the length of one commit.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between retries of an operation for which SQLite does not wait itself.
const PAUSE: Duration = Duration::from_millis(5);

/// A store in `MODEL_DIR/cache.db`; a file of the Python original is taken over as it is.
///
/// The file is opened at the first use and again after a failure, so a server starts, reports the
/// error, and recovers once the folder is fixed. Reads always see what other processes wrote.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<Option<Open>>,
    recent: Recent,
    identity_check: IdentityCheck,
}

/// An open file.
#[derive(Debug)]
struct Open {
    connection: Connection,
    identity: Option<FileIdentity>,
}

impl SqliteStore {
    /// Creates a store in the folder `model_dir`, which is made at the first use if missing.
    pub fn new(model_dir: &Path) -> Self {
        Self::in_file(model_dir.join(FILE_NAME))
    }

    /// Creates a store in a file of any name.
    pub fn in_file(path: PathBuf) -> Self {
        Self {
            path,
            connection: Mutex::default(),
            recent: Recent::default(),
            identity_check: IdentityCheck::default(),
        }
    }

    /// Removes a value; one that is missing stays so.
    pub fn remove(&self, project: &ProjectId, key: &str) -> Result<(), StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(REMOVE)?;
            statement.execute(params![project.as_str(), key])?;
            Ok(())
        })
    }

    /// Returns a mark that changes with every commit of any process, so that equal marks mean
    /// unchanged values. Cheaper than a read. `None` before the first read, or when there is no
    /// write-ahead log.
    pub fn state(&self) -> Option<impl AsRef<[u8]> + use<>> {
        self.recent.mark()
    }

    /// Returns a cached value, if no process has committed since; the outer option says whether
    /// there is one. Never waits for another process.
    pub fn recent(&self, project: &ProjectId, key: &str) -> Option<Option<String>> {
        self.recent.get(project, key).map(|Known(value)| value)
    }

    fn with<T>(
        &self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut guard = self.lock();
        let mut open = guard.take();
        if let Some(removed) = open.take_if(|open| open.identity != FileIdentity::of(&self.path)) {
            tracing::warn!(
                "{} was removed or replaced while the server runs; values stored before may be lost",
                self.path.display()
            );
            self.recent.forget();
            drop(removed);
            remove_orphans(&self.path);
        }
        let open = match open {
            Some(open) => open,
            None => self.open()?,
        };
        let result = run(&open.connection).map_err(|source| self.error(source));
        match result {
            Ok(_) => *guard = Some(open),
            Err(_) => self.recent.forget(),
        }
        result
    }

    fn error(&self, source: rusqlite::Error) -> StoreError {
        let path = self.path.clone();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                StoreError::NotADatabase { path, source }
            }
            _ => StoreError::Sqlite { path, source },
        }
    }

    fn open(&self) -> Result<Open, StoreError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        let open = || {
            let connection = Connection::open(&self.path)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // When processes open a new file at the same time, one changes the mode, and SQLite
            // fails the others without waiting.
            wait_while_busy(|| connection.pragma_update(None, "journal_mode", "wal"))?;
            connection.pragma_update(None, "synchronous", "normal")?;
            connection.execute(TABLE, [])?;
            self.recent.watch(&self.path);
            let identity = FileIdentity::of(&self.path);
            Ok(Open {
                connection,
                identity,
            })
        };
        open().map_err(|source: rusqlite::Error| match self.error(source) {
            StoreError::Sqlite { path, source } if path.is_dir() => {
                StoreError::NotADatabase { path, source }
            }
            StoreError::Sqlite { path, source } => StoreError::Open { path, source },
            error => error,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for SqliteStore {
    fn get(&self, project: &ProjectId, key: &str) -> Result<Option<String>, StoreError> {
        if let Some(value) = self.recent(project, key)
            && !self.identity_check.is_due()
        {
            return Ok(value);
        }
        let mark = self.recent.mark();
        let value = self.with(|connection| read(connection, project, key))?;
        if let Some(mark) = mark {
            self.recent.keep(mark, project, key, value.as_deref());
        }
        Ok(value)
    }

    fn set(&self, project: &ProjectId, key: &str, value: &str) -> Result<(), StoreError> {
        self.with(|connection| {
            if read(connection, project, key)?.as_deref() != Some(value) {
                let mut statement = connection.prepare_cached(WRITE)?;
                statement.execute(params![project.as_str(), key, value])?;
            }
            Ok(())
        })
    }

    fn values(&self, key: &str) -> Result<Vec<String>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(VALUES)?;
            let rows = statement.query_map(params![key], |row| row.get(0))?;
            rows.collect()
        })
    }

    fn projects(&self) -> Result<Vec<String>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(PROJECTS)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        })
    }

    fn probe(&self) -> Result<(), StoreError> {
        self.with(|connection| connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK"))
    }
}

/// Retries `run` while another process uses the file.
pub(crate) fn wait_while_busy(run: impl Fn() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        match run() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && start.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

fn read(
    connection: &Connection,
    project: &ProjectId,
    key: &str,
) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached(READ)?;
    let value = statement
        .query_row(params![project.as_str(), key], |row| row.get(0))
        .optional()?;
    Ok(value.flatten())
}

//! Stores: one text per project and key, which outlives a request.

mod file_identity;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod recent;
#[cfg(feature = "postgres")]
mod shared_values;
mod sqlite;

use std::path::PathBuf;

use crate::project_id::ProjectId;

pub(crate) use file_identity::{FileIdentity, remove_orphans};
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
pub(crate) use sqlite::{BUSY_TIMEOUT, wait_while_busy};

/// Why a store cannot read or write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder of the database cannot be made.
    #[error("cannot create the folder {}; set MODEL_DIR to a folder that can be written, or CACHE_TYPE=memory to store nothing", .path.display())]
    Folder {
        /// Folder that was to be made.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open {}; set MODEL_DIR to a folder that can be written, or CACHE_TYPE=memory to store nothing", .path.display())]
    Open {
        /// Database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is damaged, or something else than a database.
    #[error("{} is not a database, or is damaged; move it away, and a new one is made", .path.display())]
    NotADatabase {
        /// Database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database cannot be read or written.
    #[error("cannot use {}; is the disk full, or MODEL_DIR not writable?", .path.display())]
    Sqlite {
        /// Database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database server cannot be used.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] crate::postgres::PostgresError),
}

/// Keeps one text per project and key.
pub trait Store: Send + Sync + 'static {
    /// Reads a value, as written last by any process. A replica on another machine may read the
    /// value before it for the moment that a notification takes.
    fn get(&self, project: &ProjectId, key: &str) -> Result<Option<String>, StoreError>;

    /// Writes a value. An unchanged value commits nothing.
    fn set(&self, project: &ProjectId, key: &str, value: &str) -> Result<(), StoreError>;

    /// Returns the distinct values that projects have under `key`, sorted.
    fn values(&self, key: &str) -> Result<Vec<String>, StoreError>;

    /// Returns the projects that have values, sorted. A store that cannot list them returns none.
    fn projects(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Checks whether values can be read and written now.
    fn probe(&self) -> Result<(), StoreError> {
        self.values("").map(drop)
    }
}

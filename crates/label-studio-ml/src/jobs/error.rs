//! Why a queue cannot be used.

use std::path::PathBuf;

/// Why a queue of jobs cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobsError {
    /// The folder of the database cannot be made.
    #[error("cannot create the folder {}; set MODEL_DIR to a folder that can be written", .path.display())]
    Folder {
        /// Folder that was to be made.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file that shows that this process is alive cannot be made.
    #[error("cannot create {}; set MODEL_DIR to a folder that can be written", .path.display())]
    Lock {
        /// File that was to be made.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open {}; set MODEL_DIR to a folder that can be written", .path.display())]
    Open {
        /// Database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is damaged, or something else than a database.
    #[error("{} is not a database, or is damaged; move it away, and a new one without the trainings that wait is made", .path.display())]
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

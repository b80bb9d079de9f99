//! Why a database cannot be used.

use label_studio_sdk::http::HttpError;
use postgres::error::SqlState;

/// Why a PostgreSQL database cannot be used. No message holds the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The address cannot be read.
    #[error(
        "DATABASE_URL is not the address of a PostgreSQL database, such as postgres://user:password@host/database"
    )]
    Url(#[source] postgres::Error),
    /// The certificate authorities cannot be read.
    #[error(transparent)]
    Certificates(#[from] HttpError),
    /// The server cannot be reached, or refused the connection.
    #[error(
        "cannot connect to PostgreSQL at {address}; check DATABASE_URL, and whether the server runs"
    )]
    Connect {
        /// Host and port.
        address: String,
        /// What the server or the operating system said.
        source: postgres::Error,
    },
    /// The server was not reached a moment ago, and is not asked again yet.
    #[error("PostgreSQL at {address} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What was wrong a moment ago.
        reason: String,
    },
    /// The server refused a statement, or the connection was lost in the middle of one.
    #[error("PostgreSQL at {address} did not do as asked")]
    Statement {
        /// Host and port.
        address: String,
        /// What the server said.
        source: postgres::Error,
    },
    /// A thread cannot be started, or has ended.
    #[error("the thread of the connection to PostgreSQL cannot run")]
    Thread,
}

impl PostgresError {
    /// Returns whether waiting does not help: the address, the user or the database is wrong.
    pub(crate) fn is_a_wrong_setting(&self) -> bool {
        let source = match self {
            Self::Url(_) | Self::Certificates(_) => return true,
            Self::Connect { source, .. } | Self::Statement { source, .. } => source,
            Self::Unreachable { .. } | Self::Thread => return false,
        };
        source.code().is_some_and(|code| {
            [
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                SqlState::INVALID_PASSWORD,
                SqlState::UNDEFINED_DATABASE,
                SqlState::INVALID_SCHEMA_NAME,
                SqlState::INSUFFICIENT_PRIVILEGE,
            ]
            .contains(code)
        })
    }
}

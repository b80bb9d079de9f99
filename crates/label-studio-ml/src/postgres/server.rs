//! How the server is reached.

use std::{fmt, time::Duration};

use label_studio_sdk::http::{HttpOptions, NetworkOptions, tls_config};
use postgres::{
    Client, Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PostgresError, schema};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time without an answer from the other machine after which a connection counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(15);
/// What every session begins with: no statement may hold up the others for long.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '20s';
    SET idle_in_transaction_session_timeout = '60s'";

/// A database server and how it is reached.
pub(super) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    address: String,
}

impl Server {
    pub(super) fn new(url: &str, network: NetworkOptions) -> Result<Self, PostgresError> {
        // The crate knows one strict mode, and checks certificates in it as these two do.
        let url = url
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(PostgresError::Url)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(LOST_AFTER);
        }
        config.keepalives_idle(LOST_AFTER);
        if config.get_application_name().is_none() {
            config.application_name("label-studio-ml");
        }
        let tls = if config.get_ssl_mode() == SslMode::Require {
            let options = HttpOptions {
                network,
                ..HttpOptions::default()
            };
            Some(MakeRustlsConnect::new(tls_config(&options)?))
        } else {
            config.ssl_mode(SslMode::Disable);
            None
        };
        Ok(Self {
            address: address(&config),
            config,
            tls,
        })
    }

    /// Returns host and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Connects, and makes the tables if they are missing.
    pub(super) fn connect(&self) -> Result<Client, PostgresError> {
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        let mut client = connected.map_err(|source| PostgresError::Connect {
            address: self.address.clone(),
            source,
        })?;
        prepare(&mut client).map_err(|source| self.failed(source))?;
        Ok(client)
    }

    /// Returns the error of a statement.
    pub(super) fn failed(&self, source: postgres::Error) -> PostgresError {
        PostgresError::Statement {
            address: self.address.clone(),
            source,
        }
    }
}

impl fmt::Debug for Server {
    /// Shows no password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn prepare(client: &mut Client) -> Result<(), postgres::Error> {
    client.batch_execute(SESSION)?;
    let is_there: bool = client.query_one(schema::IS_THERE, &[])?.get(0);
    if !is_there {
        let mut transaction = client.transaction()?;
        transaction.batch_execute(schema::LOCK)?;
        transaction.batch_execute(schema::TABLES)?;
        transaction.commit()?;
    }
    Ok(())
}

fn address(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config
            .get_hostaddrs()
            .first()
            .map_or_else(String::new, ToString::to_string),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{host}:{port}")
}

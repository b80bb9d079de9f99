//! The HTTP protocol of Presto, which watsonx.data speaks.

use std::{thread, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use label_studio_ml::Value;
use label_studio_services::{Deadline, Secret, ServiceClient, ServiceError, ServiceRequest};
use serde::Deserialize;
use url::Url;

const SOURCE: &str = "label-studio-ml";
const STARTED_TRANSACTION: &str = "x-presto-started-transaction-id";
/// Pause before an unfinished statement is asked for again; it doubles up to the longest one.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a statement was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrestoError {
    /// The engine could not be asked.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The engine refused the statement, or failed.
    #[error("Presto answered {name}: {message}")]
    Refused {
        /// Name of the error, such as `SYNTAX_ERROR`.
        name: String,
        /// Message of the engine.
        message: String,
    },
    /// There was no time left to wait for the end of a statement.
    #[error("no time is left to wait for Presto")]
    NoTimeLeft,
}

/// A connection to a Presto engine.
#[derive(Debug)]
pub struct Presto {
    client: ServiceClient,
    base: Url,
    headers: Vec<(&'static str, String)>,
    credentials: Secret,
    password: Secret,
}

/// Where a Presto engine is, and who asks it for what.
#[derive(Debug, Clone, Copy)]
pub struct PrestoAccess<'a> {
    /// Address of the engine.
    pub url: &'a str,
    /// User of the engine.
    pub user: &'a str,
    /// Password of the user.
    pub password: &'a Secret,
    /// Catalog of the tables.
    pub catalog: &'a str,
    /// Schema of the tables.
    pub schema: &'a str,
}

/// Result of a statement.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) started_transaction: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    next_uri: Option<String>,
    #[serde(default)]
    data: Option<Vec<Vec<Value>>>,
    error: Option<PageError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_name: String,
}

impl Presto {
    /// Creates the connection. Nothing is sent yet.
    pub fn new(client: ServiceClient, access: &PrestoAccess<'_>) -> Result<Self, ServiceError> {
        let request = ServiceRequest::get(access.url)?;
        let credentials = format!("{}:{}", access.user, access.password.expose());
        Ok(Self {
            client,
            base: Url::parse(request.url()).expect("the request has it from there"),
            headers: vec![
                ("x-presto-user", access.user.to_owned()),
                ("x-presto-catalog", access.catalog.to_owned()),
                ("x-presto-schema", access.schema.to_owned()),
                ("x-presto-source", SOURCE.to_owned()),
            ],
            credentials: BASE64_STANDARD.encode(credentials).into(),
            password: access.password.clone(),
        })
    }

    /// Runs a statement and waits for its end.
    pub fn execute(&self, sql: &str, deadline: Deadline) -> Result<Vec<Vec<Value>>, PrestoError> {
        Ok(self.run(sql, None, deadline)?.rows)
    }

    /// Runs a statement in a transaction; `NONE` for the one that starts it.
    pub(super) fn run(
        &self,
        sql: &str,
        transaction: Option<&str>,
        deadline: Deadline,
    ) -> Result<Outcome, PrestoError> {
        tracing::debug!(sql, "asking Presto");
        let url = self.at("/v1/statement");
        let mut request = self.with_headers(ServiceRequest::post(&url)?);
        if let Some(transaction) = transaction {
            request = request.header("x-presto-transaction-id", transaction);
        }
        let mut request = request
            .bytes("text/plain; charset=utf-8", sql.to_owned())
            .acting_once();
        let mut outcome = Outcome::default();
        let mut pause = PAUSE;
        loop {
            let response = self.client.send(&request, deadline)?;
            if let Some(id) = response.header(STARTED_TRANSACTION) {
                outcome.started_transaction = Some(id.to_owned());
            }
            let page: Page = response.json()?;
            if let Some(error) = page.error {
                return Err(PrestoError::Refused {
                    name: error.error_name,
                    message: self.password.redact(&error.message),
                });
            }
            let has_data = page.data.is_some();
            outcome.rows.extend(page.data.into_iter().flatten());
            let Some(next) = page.next_uri else {
                return Ok(outcome);
            };
            let next = self.on_own_host(&next);
            if deadline.is_over() {
                self.cancel(&next);
                return Err(PrestoError::NoTimeLeft);
            }
            request = self.with_headers(ServiceRequest::get(&next)?);
            if !has_data {
                thread::sleep(pause.min(deadline.remaining()));
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    fn cancel(&self, next: &str) {
        let cancelled = ServiceRequest::delete(next).and_then(|request| {
            let deadline = Deadline::after(LONGEST_PAUSE);
            self.client.send(&self.with_headers(request), deadline)
        });
        if let Err(error) = cancelled {
            tracing::warn!(%error, "the statement may go on");
        }
    }

    fn at(&self, path: &str) -> String {
        let mut url = self.base.clone();
        url.set_path(path);
        url.to_string()
    }

    /// Returns where an answer goes on. Whatever host it names: credentials stay with the one they are for.
    fn on_own_host(&self, next: &str) -> String {
        let Ok(next) = self.base.join(next) else {
            return self.at(next);
        };
        let mut url = self.base.clone();
        url.set_path(next.path());
        url.set_query(next.query());
        url.to_string()
    }

    fn with_headers(&self, request: ServiceRequest) -> ServiceRequest {
        let request = request
            .authorization("Basic", &self.credentials)
            .hiding(&self.password);
        self.headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }
}

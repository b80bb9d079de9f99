//! Waiting for a server that does not answer for now.

use std::{
    thread,
    time::{Duration, Instant},
};

use label_studio_sdk::{ClientError, http::CertificateProblem};

use super::Progress;

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// How long a server that does not answer is asked again.
pub(crate) struct Patience<'a> {
    /// Without end if `None`.
    pub(crate) limit: Option<Duration>,
    pub(crate) progress: &'a Progress,
}

/// The state of waiting for one answer.
pub(crate) struct Wait<'a> {
    patience: &'a Patience<'a>,
    started: Instant,
    delay: Duration,
    is_noted: bool,
}

impl<'a> Patience<'a> {
    /// Asks Label Studio, again and again while it does not answer.
    ///
    /// # Errors
    /// Those that time does not cure, or the last one when the time is over.
    pub(crate) fn ask<T>(
        &self,
        mut call: impl FnMut() -> Result<T, ClientError>,
    ) -> anyhow::Result<T> {
        let mut wait = self.start();
        loop {
            match call() {
                Ok(answer) => return Ok(answer),
                Err(error) if is_temporary(&error) => {
                    wait.pause("Label Studio does not answer", error.into(), None)?;
                }
                Err(error) => return Err(explained(error)),
            }
        }
    }

    pub(crate) fn start(&'a self) -> Wait<'a> {
        Wait {
            patience: self,
            started: Instant::now(),
            delay: FIRST_DELAY,
            is_noted: false,
        }
    }
}

impl Wait<'_> {
    /// Sleeps before the next attempt, longer each time, or as long as the server asks for.
    ///
    /// # Errors
    /// `error` when the time is over.
    pub(crate) fn pause(
        &mut self,
        what: &str,
        error: anyhow::Error,
        asked: Option<Duration>,
    ) -> anyhow::Result<()> {
        let limit = self.patience.limit;
        if let Some(limit) = limit
            && self.started.elapsed() >= limit
        {
            return Err(error.context(format!("{what} for {} s", limit.as_secs())));
        }
        if !self.is_noted {
            self.is_noted = true;
            let how_long = limit.map_or_else(
                || "until it does".to_owned(),
                |limit| format!("for {} s", limit.as_secs()),
            );
            self.patience
                .progress
                .note(&format!("{what}: {error:#}; trying again {how_long}"));
        }
        thread::sleep(asked.unwrap_or(self.delay).min(LONGEST_DELAY));
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        Ok(())
    }
}

/// Returns whether the same request may succeed later.
pub(crate) fn is_temporary(error: &ClientError) -> bool {
    match error {
        ClientError::Connection { source, .. } => CertificateProblem::of(source).is_none(),
        ClientError::Exchange(source) => is_temporary(source),
        error => matches!(error.status(), Some(408 | 429 | 500..=599)),
    }
}

/// Adds what an error in the middle of a run means.
pub(crate) fn explained(error: ClientError) -> anyhow::Error {
    let status = error.status();
    let error = anyhow::Error::new(error);
    match status {
        Some(401) => error.context("Label Studio does not accept the token any more"),
        _ => error,
    }
}

//! A log of errors that come again and again.

use std::time::{Duration, Instant};

use crate::jobs::JobsError;

/// How often an error that stays the same is logged.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// Logs an error once as long as it stays the same.
#[derive(Default)]
pub(super) struct ErrorLog {
    last: Option<(String, Instant)>,
}

impl ErrorLog {
    pub(super) fn note(&mut self, result: Result<(), JobsError>) {
        let Err(error) = result else {
            return;
        };
        let text = format!("{:#}", anyhow::Error::from(error));
        let is_known = self
            .last
            .as_ref()
            .is_some_and(|(last, at)| *last == text && at.elapsed() < LOG_EVERY);
        if !is_known {
            tracing::error!("stored trainings cannot run: {text}");
            self.last = Some((text, Instant::now()));
        }
    }
}

//! One log line per prediction, and one per second for those beyond a limit.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    project_id::ProjectId,
    server::{http::request_id::RequestId, logging::regions},
};

/// Predictions that are logged one by one in each [`PERIOD`].
const MAX_LINES: u32 = 20;
const PERIOD: Duration = Duration::from_secs(1);

/// Logs predictions.
#[derive(Clone, Default)]
pub(crate) struct PredictionLog(Arc<Mutex<State>>);

/// An answered request for predictions.
pub(crate) struct Predicted<'a> {
    pub(crate) project: &'a ProjectId,
    pub(crate) n_tasks: usize,
    pub(crate) regions: Regions<'a>,
    pub(crate) took: Duration,
}

/// The regions of an answer.
pub(crate) enum Regions<'a> {
    /// So many.
    Counted(usize),
    /// Those in the answer that the model wrote itself. They are counted only for a line of their
    /// own: to read each answer would cost more than to pass it on.
    In(&'a [u8]),
}

#[derive(Default)]
struct State {
    period: Option<Instant>,
    n_lines: u32,
    summary: Summary,
}

/// Sum of the predictions that are not logged one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summary {
    n_requests: usize,
    n_tasks: usize,
    /// `None` if some were not counted.
    n_regions: Option<usize>,
    longest: Duration,
}

impl PredictionLog {
    /// Logs a prediction, or adds it to the next summary.
    pub(crate) fn record(&self, predicted: &Predicted<'_>) {
        if !tracing::enabled!(tracing::Level::INFO) {
            return;
        }
        let is_first_of_summary = {
            let mut state = self.state();
            if state.takes_line(Instant::now()) {
                drop(state);
                predicted.log();
                return;
            }
            state.summary.add(predicted);
            state.summary.n_requests == 1
        };
        if is_first_of_summary {
            let log = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(PERIOD).await;
                let summary = std::mem::take(&mut log.state().summary);
                summary.log();
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether another line may be logged in the period of `now`.
    fn takes_line(&mut self, now: Instant) -> bool {
        if self.period.is_none_or(|start| now - start >= PERIOD) {
            self.period = Some(now);
            self.n_lines = 0;
        }
        self.n_lines += 1;
        self.n_lines <= MAX_LINES
    }
}

impl Predicted<'_> {
    fn log(&self) {
        let n_regions = match self.regions {
            Regions::Counted(n_regions) => Some(n_regions),
            Regions::In(answer) => regions::count(answer),
        };
        tracing::info!(
            project = %self.project,
            tasks = self.n_tasks,
            regions = n_regions,
            ms = millis(self.took),
            request_id = %RequestId::current(),
            "predicted"
        );
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            n_requests: 0,
            n_tasks: 0,
            n_regions: Some(0),
            longest: Duration::ZERO,
        }
    }
}

impl Summary {
    fn add(&mut self, predicted: &Predicted<'_>) {
        self.n_requests += 1;
        self.n_tasks += predicted.n_tasks;
        self.n_regions = match predicted.regions {
            Regions::Counted(n_regions) => self.n_regions.map(|n_before| n_before + n_regions),
            Regions::In(_) => None,
        };
        self.longest = self.longest.max(predicted.took);
    }

    fn log(&self) {
        tracing::info!(
            requests = self.n_requests,
            tasks = self.n_tasks,
            regions = self.n_regions,
            longest_ms = millis(self.longest),
            "predicted, more requests than are logged one by one"
        );
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_beyond_the_limit_are_summed_up() {
        let mut state = State::default();
        let now = Instant::now();
        let n_logged = (0..100).filter(|_| state.takes_line(now)).count();
        assert_eq!(n_logged, MAX_LINES as usize);
        assert!(state.takes_line(now + PERIOD), "a new period has new lines");
        let project = ProjectId::parse("1");
        let predicted = |ms, regions| Predicted {
            project: &project,
            n_tasks: 2,
            regions,
            took: Duration::from_millis(ms),
        };
        for ms in [5, 3] {
            state.summary.add(&predicted(ms, Regions::Counted(1)));
        }
        let expected = Summary {
            n_requests: 2,
            n_tasks: 4,
            n_regions: Some(2),
            longest: Duration::from_millis(5),
        };
        assert_eq!(state.summary, expected);
        state.summary.add(&predicted(1, Regions::In(b"{}")));
        state.summary.add(&predicted(1, Regions::Counted(1)));
        assert_eq!(state.summary.n_regions, None);
    }
}

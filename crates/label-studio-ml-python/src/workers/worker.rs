//! A worker, as the pool knows it.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::connection::Connection;

/// Concurrent setups and trainings per worker, beside its predictions: a model that is busy predicting still answers
/// `/setup` and trains.
pub(super) const N_EXTRA_CALLS: usize = 4;
/// The kind of work of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Prediction,
    Setup,
    Training,
}

/// How a worker ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// Predicate for the subject "its process".
    pub(super) how: String,
    /// Whether the call in the worker was certainly the cause.
    pub(super) is_caused_by_call: bool,
}

/// A running worker: its connections, and the calls in it.
pub(super) struct Worker {
    pub(super) number: u64,
    pub(super) idle: Vec<Connection>,
    pub(super) n_predictions: usize,
    pub(super) n_setups: usize,
    pub(super) n_trainings: usize,
    pub(super) is_exclusive: bool,
    pub(super) has_answered: bool,
    pub(super) hung: Option<String>,
    pub(super) ended: watch::Sender<Option<Ended>>,
    pub(super) kill: Arc<Notify>,
}

impl Worker {
    pub(super) fn n_calls(&self) -> usize {
        self.n_predictions + self.n_setups + self.n_trainings
    }

    pub(super) fn is_usable(&self) -> bool {
        self.hung.is_none() && !self.is_exclusive
    }

    pub(super) fn has_permit(&self, need: Need, n_threads: usize) -> bool {
        let has_permit = match need {
            Need::Prediction => self.n_predictions < n_threads,
            Need::Setup | Need::Training => self.n_setups + self.n_trainings < N_EXTRA_CALLS,
        };
        has_permit && self.is_usable() && !self.idle.is_empty()
    }

    pub(super) fn count(&mut self, need: Need) -> &mut usize {
        match need {
            Need::Prediction => &mut self.n_predictions,
            Need::Setup => &mut self.n_setups,
            Need::Training => &mut self.n_trainings,
        }
    }
}

//! How many tasks a model wants to see at once.

use std::time::Duration;

/// How many tasks a call of `predict` has, and how long requests wait for each other. The default is
/// off: one call per request, at once.
///
/// ```
/// use std::time::Duration;
///
/// use label_studio_ml::{Batching, Model, PredictRequest, Predictions, Project, anyhow};
///
/// struct Network;
///
/// impl Model for Network {
///     fn predict(&self, _: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
///         assert!(request.tasks.len() <= 32);
///         Ok(Predictions::default())
///     }
///
///     fn batching(&self) -> Batching {
///         Batching {
///             max_tasks: 32,
///             max_wait: Duration::from_millis(5),
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Most tasks of one call. A larger request is cut into several calls, whose answers are joined.
    /// When one of them fails, its tasks are predicted one by one, so that only those fail that
    /// cannot be predicted.
    pub max_tasks: usize,
    /// How long a request that is not interactive waits for others of its project, to share a call
    /// with them. Zero merges nothing.
    pub max_wait: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            max_tasks: usize::MAX,
            max_wait: Duration::ZERO,
        }
    }
}

impl Batching {
    /// Returns whether requests wait for each other.
    pub fn merges(&self) -> bool {
        !self.max_wait.is_zero() && self.max_tasks > 1
    }
}

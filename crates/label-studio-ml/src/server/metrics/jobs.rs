//! Metrics of trainings.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::jobs::JobState;

/// From an annotation event to a training over night.
const SECONDS: [f64; 12] = [
    0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0,
];

/// Counts the attempts of trainings in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct JobMetrics {
    running: Gauge,
    ended: Family<StateLabels, Counter>,
    seconds: Histogram,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

impl Default for JobMetrics {
    fn default() -> Self {
        Self {
            running: Gauge::default(),
            ended: Family::default(),
            seconds: Histogram::new(SECONDS),
        }
    }
}

impl JobMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let running = self.running.clone();
        registry.register(
            "jobs_running",
            "Trainings that run in this process",
            running,
        );
        let ended = self.ended.clone();
        let help = "Attempts of trainings that ended in this process, by the state of the job then";
        registry.register("jobs_ended", help, ended);
        let seconds = self.seconds.clone();
        let help = "Time that an attempt of a training took";
        registry.register_with_unit("job_duration", help, Unit::Seconds, seconds);
    }

    pub(crate) fn begin(&self) {
        self.running.inc();
    }

    /// Counts the end of an attempt; the state is `None` when it was not stored.
    pub(crate) fn end(&self, state: Option<JobState>, took: Duration) {
        self.running.dec();
        let state = state.map_or("lost", JobState::as_str);
        self.ended.get_or_create(&StateLabels { state }).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

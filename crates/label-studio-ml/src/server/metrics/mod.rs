//! Metrics of the server, named by the conventions of Prometheus.
//!
//! What is counted while requests run are atomics; what can be asked for is read when metrics are.

mod jobs;
mod media;
mod process;
mod raw;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use label_studio_sdk::MediaFetcher;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};
use serde_json::{Value, json};

pub(crate) use jobs::JobMetrics;

use self::{media::MediaMetrics, process::Process, raw::RawMetrics};
use crate::{jobs::Backlog, raw::model::RawModel, server::logging::writer::LogWriter};

const PREFIX: &str = "label_studio_ml";
/// From a call that runs inline to one that Label Studio no longer waits for.
const SECONDS: [f64; 16] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0,
];
const TASKS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Counts what happens.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    in_flight: Gauge,
    queue_depth: Gauge,
    queue_wait: Histogram,
    calls: Family<OutcomeLabels, Counter>,
    /// The calls that succeeded, most of all.
    ok_calls: OnceLock<Counter>,
    call_seconds: Histogram,
    tasks: Counter,
    batch_tasks: Histogram,
    pending_jobs: Gauge,
    pending_bytes: Gauge,
    pub(crate) jobs: JobMetrics,
}

/// What is asked when metrics are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Now {
    /// Requests that wait for a thread.
    pub(crate) n_waiting: usize,
    /// Trainings that wait, if that is known.
    pub(crate) backlog: Option<Backlog>,
}

/// A request that is being answered, until this is dropped.
pub(crate) struct InFlight(Gauge);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            in_flight: Gauge::default(),
            queue_depth: Gauge::default(),
            queue_wait: seconds(),
            calls: Family::default(),
            ok_calls: OnceLock::new(),
            call_seconds: seconds(),
            tasks: Counter::default(),
            batch_tasks: Histogram::new(TASKS),
            pending_jobs: Gauge::default(),
            pending_bytes: Gauge::default(),
            jobs: JobMetrics::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process));
        let registry = all.sub_registry_with_prefix(PREFIX);
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time until a request was answered",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests that are being answered",
            self.in_flight.clone(),
        );
        registry.register(
            "queue_depth",
            "Requests that wait for a thread",
            self.queue_depth.clone(),
        );
        registry.register_with_unit(
            "queue_wait",
            "Time that a prediction waited for a thread",
            Unit::Seconds,
            self.queue_wait.clone(),
        );
        registry.register(
            "model_calls",
            "Requests for predictions that reached the model",
            self.calls.clone(),
        );
        registry.register_with_unit(
            "model_call_duration",
            "Time that the model took for a request",
            Unit::Seconds,
            self.call_seconds.clone(),
        );
        registry.register(
            "tasks",
            "Tasks of requests for predictions",
            self.tasks.clone(),
        );
        registry.register(
            "batch_tasks",
            "Tasks per request for predictions",
            self.batch_tasks.clone(),
        );
        registry.register(
            "jobs_pending",
            "Trainings that wait",
            self.pending_jobs.clone(),
        );
        registry.register_with_unit(
            "jobs_pending",
            "Size of the trainings that wait",
            Unit::Bytes,
            self.pending_bytes.clone(),
        );
        self.jobs.register(registry);
        registry.register_collector(Box::new(LogLines));
        self.registry = all;
        self
    }

    /// Adds the metrics of a raw model.
    pub(crate) fn watch(&mut self, model: Arc<dyn RawModel>) {
        let registry = self.registry.sub_registry_with_prefix(PREFIX);
        registry.register_collector(Box::new(RawMetrics(model)));
    }

    /// Adds the metrics of the files that tasks refer to.
    pub(crate) fn watch_media(&mut self, media: MediaFetcher) {
        let registry = self.registry.sub_registry_with_prefix(PREFIX);
        registry.register_collector(Box::new(MediaMetrics(media)));
    }

    /// Counts a request as being answered.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn record(&self, route: &'static str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
        self.seconds
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }

    pub(crate) fn record_wait(&self, waited: Duration) {
        self.queue_wait.observe(waited.as_secs_f64());
    }

    pub(crate) fn record_tasks(&self, n_tasks: usize) {
        self.tasks.inc_by(n_tasks as u64);
        let n_tasks = u32::try_from(n_tasks).unwrap_or(u32::MAX);
        self.batch_tasks.observe(n_tasks.into());
    }

    pub(crate) fn record_call(&self, is_ok: bool, took: Duration) {
        let counter = |outcome| self.calls.get_or_create(&OutcomeLabels { outcome }).clone();
        if is_ok {
            self.ok_calls.get_or_init(|| counter("ok")).inc();
        } else {
            counter("error").inc();
        }
        self.call_seconds.observe(took.as_secs_f64());
    }

    /// Returns the metrics in Prometheus' text format.
    pub(crate) fn text(&self, now: Now) -> String {
        let set = |gauge: &Gauge, number: u64| {
            gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        };
        set(&self.queue_depth, now.n_waiting as u64);
        let backlog = now.backlog.unwrap_or_default();
        set(&self.pending_jobs, backlog.n_jobs);
        set(&self.pending_bytes, backlog.n_bytes);
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// Returns the metrics as JSON.
    pub(crate) fn json(&self, now: Now, ready: bool) -> Value {
        let samples = samples(&self.text(now));
        json!({ "ready": ready, "waiting_requests": now.n_waiting, "samples": samples })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Collects the number of log lines that were lost.
#[derive(Debug)]
struct LogLines;

impl Collector for LogLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let dropped = ConstCounter::new(LogWriter::of_process().n_dropped());
        let help = "Log lines lost because they could not be written, or not fast enough";
        let metric_encoder =
            encoder.encode_descriptor("log_lines_dropped", help, None, dropped.metric_type())?;
        dropped.encode(metric_encoder)
    }
}

/// Reads the text format's samples: one number per name and labels.
fn samples(text: &str) -> serde_json::Map<String, Value> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, number) = line.rsplit_once(' ')?;
        Some((name.to_owned(), number.parse::<f64>().ok()?.into()))
    };
    lines.filter_map(sample).collect()
}

//! Metrics of the server, in Prometheus' text format and as JSON.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use serde_json::{Value, json};

use crate::{raw::model::RawModel, server::logging::writer::LogWriter};

/// Counts requests and their durations.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    waiting: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("label_studio_ml");
        let requests = Family::<RequestLabels, Counter>::default();
        let seconds = Family::<RouteLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(0.001, 4.0, 10))
        });
        let waiting = Gauge::default();
        registry.register("requests", "Requests answered", requests.clone());
        registry.register(
            "request_seconds",
            "Seconds until a request was answered",
            seconds.clone(),
        );
        registry.register(
            "waiting_requests",
            "Requests that wait for a thread",
            waiting.clone(),
        );
        registry.register_collector(Box::new(LogLines));
        Self {
            registry,
            requests,
            seconds,
            waiting,
        }
    }

    /// Adds the metrics of a raw model.
    pub(crate) fn watch(&mut self, model: Arc<dyn RawModel>) {
        self.registry
            .register_collector(Box::new(RawMetrics(model)));
    }

    pub(crate) fn record(&self, route: &'static str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels { route, status })
            .inc();
        self.seconds
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }

    /// Returns the metrics in Prometheus' text format.
    pub(crate) fn text(&self, n_waiting: usize) -> String {
        self.waiting
            .set(i64::try_from(n_waiting).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// Returns the metrics as JSON.
    pub(crate) fn json(&self, n_waiting: usize, ready: bool) -> Value {
        json!({ "ready": ready, "waiting_requests": n_waiting, "samples": samples(&self.text(n_waiting)) })
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

/// Collects the metrics of a raw model.
struct RawMetrics(Arc<dyn RawModel>);

impl fmt::Debug for RawMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawMetrics").field(&self.0.name()).finish()
    }
}

impl Collector for RawMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for raw in self.0.metrics() {
            let metric: &dyn EncodeMetric = if raw.is_counter {
                &ConstCounter::new(raw.value)
            } else {
                &ConstGauge::new(i64::try_from(raw.value).unwrap_or(i64::MAX))
            };
            let metric_encoder =
                encoder.encode_descriptor(raw.name, raw.help, None, metric.metric_type())?;
            metric.encode(metric_encoder)?;
        }
        Ok(())
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

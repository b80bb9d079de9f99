//! Metrics of a raw model.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use crate::raw::model::RawModel;

/// Collects the metrics of a raw model.
pub(super) struct RawMetrics(pub(super) Arc<dyn RawModel>);

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

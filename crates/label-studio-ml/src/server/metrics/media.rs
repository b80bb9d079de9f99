//! Metrics of the files that tasks refer to.

use std::fmt;

use label_studio_sdk::MediaFetcher;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::counter::ConstCounter,
};

/// Collects the counts of a fetcher.
#[derive(Debug)]
pub(super) struct MediaMetrics(pub(super) MediaFetcher);

impl Collector for MediaMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counts = self.0.counts();
        let metrics = [
            ("media_downloads", "Files downloaded", counts.n_downloads),
            (
                "media_download_bytes",
                "Bytes of files downloaded",
                counts.n_bytes,
            ),
            (
                "media_failures",
                "Files that could not be downloaded",
                counts.n_failures,
            ),
            (
                "media_cache_hits",
                "Files that were on the disk already",
                counts.n_hits,
            ),
        ];
        for (name, help, count) in metrics {
            let counter = ConstCounter::new(count);
            let metric_encoder =
                encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric_encoder)?;
        }
        Ok(())
    }
}

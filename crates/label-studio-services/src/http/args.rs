//! Flags of backends that call a service.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Args;
use label_studio_sdk::http::NetworkOptions;

use super::{deadline::Deadline, options::ServiceOptions};
use crate::{first_filled, parse_seconds};

/// Flags of backends that call a service, to be flattened into those of the backend
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct ServiceArgs {
    /// Tasks that are worked on at once, over all requests
    #[arg(long, env = "PARALLELISM", default_value = "16")]
    pub parallelism: NonZeroUsize,

    /// Seconds for all tasks of a request, less than `PREDICT_TIMEOUT`: tasks without an answer get an error, others keep theirs
    #[arg(long, env = "SERVICE_TIMEOUT", default_value = "90", value_parser = parse_seconds)]
    pub service_timeout: Duration,

    /// Seconds without a received byte until a request is given up
    #[arg(long, env = "SERVICE_READ_TIMEOUT", default_value = "80", value_parser = parse_seconds)]
    pub service_read_timeout: Duration,

    /// Retries after a temporary failure
    #[arg(long, env = "SERVICE_RETRIES", default_value_t = 3)]
    pub service_retries: u32,

    /// PEM file of the certificate authorities to trust for the service, instead of those of `REQUESTS_CA_BUNDLE`
    #[arg(long, env = "SERVICE_CA_BUNDLE")]
    pub service_ca_bundle: Option<PathBuf>,

    /// Proxy to reach the service through, whatever the flags for all connections say
    #[arg(long, env = "SERVICE_PROXY")]
    pub service_proxy: Option<String>,
}

impl ServiceArgs {
    /// Returns the options that the flags mean. `network` is what is set for all connections of the process.
    pub fn options(&self, mut network: NetworkOptions) -> ServiceOptions {
        let ca_bundle = self.service_ca_bundle.as_ref();
        if let Some(path) = ca_bundle.filter(|path| !path.as_os_str().is_empty()) {
            network = network.with_ca_bundle(path.clone(), "SERVICE_CA_BUNDLE");
        }
        if let Some(proxy) = first_filled([&self.service_proxy]) {
            network = network.with_proxy(proxy, "SERVICE_PROXY");
        }
        ServiceOptions {
            read_timeout: self.service_read_timeout,
            retries: self.service_retries,
            max_in_flight: self.parallelism,
            network,
            ..ServiceOptions::default()
        }
    }

    /// Returns the deadline of a `predict` call that starts now.
    pub fn deadline(&self) -> Deadline {
        Deadline::after(self.service_timeout)
    }
}

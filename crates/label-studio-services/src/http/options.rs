//! Options of a service client.

use std::{num::NonZeroUsize, time::Duration};

use label_studio_sdk::http::NetworkOptions;

/// Options of a service client.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// Time to look up the host and to connect.
    pub connect_timeout: Duration,
    /// Time without a single byte arriving. A model that does not stream is silent until its answer is complete.
    pub read_timeout: Duration,
    /// Retries after a temporary failure.
    pub retries: u32,
    /// Pause before the first repetition when the service names none; it doubles each time.
    pub retry_delay: Duration,
    /// Longest such pause.
    pub max_retry_delay: Duration,
    /// Largest answer that is read.
    pub max_bytes: u64,
    /// How many requests this client has open at once; further ones wait for their turn.
    pub max_in_flight: NonZeroUsize,
    /// Whether the certificate of an `https` address must be valid.
    pub verify_ssl: bool,
    /// Certificate authorities and proxies.
    pub network: NetworkOptions,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(80),
            retries: 3,
            retry_delay: Duration::from_millis(500),
            max_retry_delay: Duration::from_secs(8),
            max_bytes: 32 << 20,
            max_in_flight: NonZeroUsize::new(32).expect("32 is not 0"),
            verify_ssl: true,
            network: NetworkOptions::default(),
        }
    }
}

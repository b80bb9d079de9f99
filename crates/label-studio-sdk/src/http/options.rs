//! How requests are sent.

use std::{path::PathBuf, time::Duration};

use super::ProxyAddress;

/// What an operator sets for all connections of a process.
#[derive(Debug, Clone, Default)]
pub struct NetworkOptions {
    /// PEM file, or folder of PEM files, of the certificate authorities to trust instead of the built-in list.
    pub ca_bundle: Option<PathBuf>,
    /// Setting that `ca_bundle` comes from, for error messages; `REQUESTS_CA_BUNDLE` if `None`.
    pub ca_bundle_setting: Option<&'static str>,
    /// Proxy for `http` addresses.
    pub http_proxy: Option<ProxyAddress>,
    /// Proxy for `https` addresses.
    pub https_proxy: Option<ProxyAddress>,
    /// Proxy for addresses of a scheme without a proxy.
    pub all_proxy: Option<ProxyAddress>,
    /// Hosts that are reached without a proxy, separated by commas: `example.org` and its subdomains, `10.0.0.0/8`,
    /// `host:8080`, `*`.
    pub no_proxy: String,
}

impl NetworkOptions {
    /// Replaces the certificate authorities by those of another setting.
    #[must_use]
    pub fn with_ca_bundle(mut self, path: PathBuf, setting: &'static str) -> Self {
        self.ca_bundle = Some(path);
        self.ca_bundle_setting = Some(setting);
        self
    }

    /// Sends everything through one proxy of another setting, the hosts of `no_proxy` as well; only loopback addresses are
    /// still reached directly.
    #[must_use]
    pub fn with_proxy(mut self, address: &str, setting: &'static str) -> Self {
        let proxy = ProxyAddress::of_setting(address, setting);
        self.http_proxy = Some(proxy.clone());
        self.https_proxy = Some(proxy);
        self.no_proxy.clear();
        self
    }

    pub(super) fn ca_bundle_setting(&self) -> &'static str {
        self.ca_bundle_setting.unwrap_or("REQUESTS_CA_BUNDLE")
    }
}

/// How an agent sends requests.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Certificate authorities and proxies.
    pub network: NetworkOptions,
    /// Whether the certificate of an `https` address must be valid.
    pub verify_ssl: bool,
    /// The setting that switches `verify_ssl` off, for error messages.
    pub verify_setting: Option<&'static str>,
    /// Time to look up a host and to connect to it.
    pub connect_timeout: Duration,
    /// Time without a single byte arriving.
    pub read_timeout: Duration,
    /// Time for a whole request; unlimited if `None`.
    pub overall_timeout: Option<Duration>,
    /// Whether answers may be compressed. Off where byte ranges are asked for.
    pub accept_compressed: bool,
    /// Idle connections kept per host.
    pub max_idle_connections: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            network: NetworkOptions::default(),
            verify_ssl: true,
            verify_setting: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            overall_timeout: None,
            accept_compressed: true,
            max_idle_connections: 3,
        }
    }
}

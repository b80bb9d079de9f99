//! The flags for all connections of a process.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::{NetworkOptions, ProxyAddress};

/// How other machines are reached. The variables are those of Python's `requests`, in capitals too
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// PEM file or folder of the certificate authorities to trust instead of the built-in list
    #[arg(long, env = "REQUESTS_CA_BUNDLE")]
    pub ca_bundle: Option<OsString>,

    #[arg(long, env = "CURL_CA_BUNDLE", hide = true)]
    #[doc(hidden)]
    pub curl_ca_bundle: Option<OsString>,

    #[arg(long, env = "SSL_CERT_FILE", hide = true)]
    #[doc(hidden)]
    pub ssl_cert_file: Option<OsString>,

    /// Proxy for http addresses
    #[arg(
        long,
        value_name = "http://HOST:PORT",
        env = "http_proxy",
        hide_env_values = true
    )]
    pub http_proxy: Option<ProxyAddress>,

    #[arg(long, env = "HTTP_PROXY", hide = true, hide_env_values = true)]
    #[doc(hidden)]
    pub upper_case_http_proxy: Option<ProxyAddress>,

    /// Proxy for https addresses
    #[arg(
        long,
        value_name = "http://HOST:PORT",
        env = "https_proxy",
        hide_env_values = true
    )]
    pub https_proxy: Option<ProxyAddress>,

    #[arg(long, env = "HTTPS_PROXY", hide = true, hide_env_values = true)]
    #[doc(hidden)]
    pub upper_case_https_proxy: Option<ProxyAddress>,

    /// Proxy for both, where there is no other
    #[arg(
        long,
        value_name = "http://HOST:PORT",
        env = "all_proxy",
        hide_env_values = true
    )]
    pub all_proxy: Option<ProxyAddress>,

    #[arg(long, env = "ALL_PROXY", hide = true, hide_env_values = true)]
    #[doc(hidden)]
    pub upper_case_all_proxy: Option<ProxyAddress>,

    /// Hosts that are reached without a proxy: example.org,10.0.0.0/8,host:8080
    #[arg(long, env = "no_proxy")]
    pub no_proxy: Option<String>,

    #[arg(long, env = "NO_PROXY", hide = true)]
    #[doc(hidden)]
    pub upper_case_no_proxy: Option<String>,
}

impl NetworkArgs {
    /// Returns the options that the flags mean.
    pub fn options(&self) -> NetworkOptions {
        let bundles = [&self.ca_bundle, &self.curl_ca_bundle, &self.ssl_cert_file];
        // Compose files set variables to empty text.
        let mut bundles = bundles
            .into_iter()
            .flatten()
            .filter(|path| !path.is_empty());
        let first = |lower: &Option<ProxyAddress>, upper: &Option<ProxyAddress>| {
            lower.clone().or_else(|| upper.clone())
        };
        let no_proxy = self.no_proxy.as_ref().or(self.upper_case_no_proxy.as_ref());
        NetworkOptions {
            ca_bundle: bundles.next().map(PathBuf::from),
            ca_bundle_setting: None,
            http_proxy: first(&self.http_proxy, &self.upper_case_http_proxy),
            https_proxy: first(&self.https_proxy, &self.upper_case_https_proxy),
            all_proxy: first(&self.all_proxy, &self.upper_case_all_proxy),
            no_proxy: no_proxy.cloned().unwrap_or_default(),
        }
    }
}

//! How a hub is reached.

use std::{path::PathBuf, time::Duration};

use label_studio_sdk::http::NetworkOptions;

/// How a hub is reached.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// URL of the hub.
    pub endpoint: String,
    /// URL of the package index, with its simple API.
    pub package_index: String,
    /// Folder of the cache; the token of `huggingface-cli login` is looked for beside it.
    pub cache_dir: PathBuf,
    /// Access token, sent to the hub alone and not to where it redirects.
    pub token: Option<String>,
    /// Certificate authorities that are trusted, and proxies.
    pub network: NetworkOptions,
    /// Whether only cached files are used.
    pub is_offline: bool,
    /// Largest file to fetch, in bytes.
    pub max_bytes: u64,
    /// Retries of a failed download.
    pub retries: u32,
    /// Time before the first retry; it doubles.
    pub retry_delay: Duration,
    /// Time to connect to the hub.
    pub connect_timeout: Duration,
    /// Time without a byte after which a download has failed.
    pub read_timeout: Duration,
}

impl HubOptions {
    /// The public hub.
    pub const ENDPOINT: &str = "https://huggingface.co";
    /// The public package index.
    pub const PACKAGE_INDEX: &str = "https://pypi.org/simple";
}

impl Default for HubOptions {
    fn default() -> Self {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let cache_dir = home.unwrap_or_else(std::env::temp_dir);
        Self {
            endpoint: Self::ENDPOINT.to_owned(),
            package_index: Self::PACKAGE_INDEX.to_owned(),
            cache_dir: cache_dir.join(".cache").join("huggingface").join("hub"),
            token: None,
            network: NetworkOptions::default(),
            is_offline: false,
            max_bytes: 16 << 30,
            retries: 4,
            retry_delay: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
        }
    }
}

//! How a hub is reached.

use std::{path::PathBuf, time::Duration};

/// How a hub is reached.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// Address of the hub.
    pub endpoint: String,
    /// Folder of the cache; the token of `huggingface-cli login` is looked for beside it.
    pub cache_dir: PathBuf,
    /// Sent to the hub itself, and to nobody that it redirects to.
    pub token: Option<String>,
    /// Whether only the cache is asked.
    pub is_offline: bool,
    /// Largest file to fetch, in bytes.
    pub max_bytes: u64,
    /// How often a failed transfer is taken up again.
    pub retries: u32,
    /// Time before the first retry; it doubles.
    pub retry_delay: Duration,
    /// Time to reach the hub.
    pub connect_timeout: Duration,
    /// Time without a byte after which a transfer has failed.
    pub read_timeout: Duration,
}

impl HubOptions {
    /// The hub that everybody means.
    pub const ENDPOINT: &str = "https://huggingface.co";
}

impl Default for HubOptions {
    fn default() -> Self {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let cache_dir = home.unwrap_or_else(std::env::temp_dir);
        Self {
            endpoint: Self::ENDPOINT.to_owned(),
            cache_dir: cache_dir.join(".cache").join("huggingface").join("hub"),
            token: None,
            is_offline: false,
            max_bytes: 16 << 30,
            retries: 4,
            retry_delay: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
        }
    }
}

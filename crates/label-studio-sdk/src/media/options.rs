//! Where media is looked for and what a download may cost.

use std::{path::PathBuf, time::Duration};

use crate::http::NetworkOptions;

/// Where media is looked for and what a download may cost.
///
/// `MediaOptions { document_root: Some(root), ..MediaOptions::new(cache_dir) }` changes what the constructor has set.
#[derive(Debug, Clone)]
pub struct MediaOptions {
    /// Label Studio's address, for a fetcher without a client. With a client, the client's counts.
    pub label_studio_url: Option<String>,
    /// Folder that `/data/local-files/?d=` refers to. Without one, and for `/`, such files are asked of Label Studio.
    pub document_root: Option<PathBuf>,
    /// Folder of uploaded files, laid out as `<project>/<file>`, when Label Studio's is mounted here.
    pub image_dir: Option<PathBuf>,
    /// Folder that downloads are kept in. It is made when needed.
    pub cache_dir: PathBuf,
    /// Size that the cache is kept near by removing what was not used for longest.
    pub max_cache_bytes: Option<u64>,
    /// Whether the certificate of an `https` address must be valid.
    pub verify_ssl: bool,
    /// Certificate authorities and proxies.
    pub network: NetworkOptions,
    /// Whether task data may point into private networks (10.0.0.0/8, 192.168.0.0/16, loopback, link-local, ...).
    pub allow_private_addresses: bool,
    /// Largest file that is downloaded.
    pub max_bytes: u64,
    /// Largest file that is read into task data as text.
    pub max_text_bytes: u64,
    /// Time to look up a host and to connect to it.
    pub connect_timeout: Duration,
    /// Time without a single byte arriving.
    pub read_timeout: Duration,
    /// Time for one download: redirects, repetitions and the second address of an upload included. Label Studio waits 100 s
    /// for predictions.
    pub overall_timeout: Duration,
    /// Bytes per second that a server must send on average over [`MediaOptions::rate_window`].
    pub min_rate: u64,
    /// Time over which the rate of a download is measured.
    pub rate_window: Duration,
    /// Time after which Label Studio is asked again whether a task may use a cached file of cloud storage.
    pub access_lifetime: Duration,
    /// How often a download is repeated when the connection fails.
    pub retries: u32,
    /// Pause before the first repetition; it doubles each time.
    pub retry_delay: Duration,
}

impl MediaOptions {
    /// Creates options that keep downloads in `cache_dir` and read no folder of Label Studio.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            label_studio_url: None,
            document_root: None,
            image_dir: None,
            cache_dir: cache_dir.into(),
            max_cache_bytes: None,
            verify_ssl: true,
            network: NetworkOptions::default(),
            allow_private_addresses: false,
            max_bytes: 4 << 30,
            max_text_bytes: 64 << 20,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(20),
            overall_timeout: Duration::from_secs(90),
            min_rate: 16 << 10,
            rate_window: Duration::from_secs(10),
            access_lifetime: Duration::from_secs(60),
            retries: 2,
            retry_delay: Duration::from_millis(250),
        }
    }
}

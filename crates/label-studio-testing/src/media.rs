//! A media fetcher with a temporary folder.

use std::{fs, path::PathBuf, time::Duration};

use label_studio_sdk::{Client, MediaError, MediaFetcher, MediaOptions};
use tempfile::TempDir;

/// Media fetcher, and the temporary folder that it keeps files in.
#[derive(Debug)]
pub struct TestFetcher {
    /// The fetcher.
    pub media: MediaFetcher,
    /// Its folder, removed when dropped.
    pub dir: TempDir,
}

impl TestFetcher {
    /// Creates a fetcher that does not make a failing test wait; `change` may change its options.
    ///
    /// # Panics
    /// When the options cannot be used.
    pub fn new(client: Option<Client>, change: impl FnOnce(MediaOptions) -> MediaOptions) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let options = MediaOptions {
            retry_delay: Duration::from_millis(1),
            read_timeout: Duration::from_secs(5),
            ..MediaOptions::new(dir.path().join("cache"))
        };
        let media = MediaFetcher::new(client, change(options)).expect("the options are valid");
        Self { media, dir }
    }

    /// Fetches an address for task 7.
    pub fn get(&self, url: &str) -> Result<PathBuf, MediaError> {
        self.media.local_path(url, Some(7))
    }

    /// Returns the files that are kept.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn cached(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.dir.path().join("cache")) else {
            return Vec::new();
        };
        let path = |entry: std::io::Result<fs::DirEntry>| entry.expect("it is readable").path();
        entries.map(path).collect()
    }
}

/// Allows a test to fetch from this machine.
pub fn allow_private(options: MediaOptions) -> MediaOptions {
    MediaOptions {
        allow_private_addresses: true,
        ..options
    }
}

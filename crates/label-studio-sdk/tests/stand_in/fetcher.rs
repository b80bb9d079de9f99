//! A fetcher with a folder of its own.

use std::{fs, path::PathBuf, time::Duration};

use label_studio_sdk::{Client, MediaError, MediaFetcher, MediaOptions};
use tempfile::TempDir;

/// A fetcher, and the folder it keeps files in.
pub struct Fetcher {
    pub media: MediaFetcher,
    pub dir: TempDir,
}

impl Fetcher {
    pub fn new(client: Option<Client>, change: impl FnOnce(MediaOptions) -> MediaOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = MediaOptions {
            retry_delay: Duration::from_millis(1),
            read_timeout: Duration::from_secs(5),
            ..MediaOptions::new(dir.path().join("cache"))
        };
        let media = MediaFetcher::new(client, change(options)).unwrap();
        Self { media, dir }
    }

    pub fn get(&self, url: &str) -> Result<PathBuf, MediaError> {
        self.media.local_path(url, Some(7))
    }

    pub fn cached(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.dir.path().join("cache")) else {
            return Vec::new();
        };
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// Lets a test fetch from this machine.
pub fn allow_private(options: MediaOptions) -> MediaOptions {
    MediaOptions {
        allow_private_addresses: true,
        ..options
    }
}

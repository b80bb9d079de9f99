//! From a value in a task's data to a path.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_URL_SAFE};
use url::Url;

use super::{
    MediaError, MediaOptions,
    access::Access,
    cache::Cache,
    data_url,
    download::Downloader,
    local_file,
    source::{STATIC, Source, local_storage, shown},
};
use crate::{Client, client::Origin};

/// Most addresses of Label Studio that are remembered.
const MAX_PUBLIC_ADDRESSES: usize = 16;

/// Finds the files that task data refers to, on disk or by downloading them once. Clones share the cache.
#[derive(Debug, Clone)]
pub struct MediaFetcher(Arc<Media>);

#[derive(Debug)]
struct Media {
    has_token: bool,
    label_studio: Option<Origin>,
    /// Other addresses that task data names Label Studio by.
    public_addresses: RwLock<Vec<Origin>>,
    options: MediaOptions,
    cache: Cache,
    access: Access,
    downloader: Downloader,
    counters: Counters,
}

/// How often files were found, since the fetcher was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaCounts {
    /// Files downloaded.
    pub n_downloads: u64,
    /// Size of the files downloaded.
    pub n_bytes: u64,
    /// Files that could not be downloaded.
    pub n_failures: u64,
    /// Files that had been downloaded before.
    pub n_hits: u64,
}

#[derive(Debug, Default)]
struct Counters {
    downloads: AtomicU64,
    bytes: AtomicU64,
    failures: AtomicU64,
    hits: AtomicU64,
}

/// What to download and under which name to keep it.
#[derive(Debug)]
enum Download {
    /// From a web address, or from another one when the first answers with an error.
    From {
        key: String,
        url: Url,
        fallback: Option<Url>,
    },
    /// Content that is there already.
    Content(String),
}

fn increment(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl MediaFetcher {
    /// Creates a fetcher. Nothing is read or sent yet.
    ///
    /// # Errors
    /// When Label Studio's address is not a web address, or the certificates cannot be read.
    pub fn new(client: Option<Client>, options: MediaOptions) -> Result<Self, MediaError> {
        let url = options.label_studio_url.as_deref().map(str::trim);
        let label_studio = match (&client, url) {
            (Some(client), _) => Some(client.origin().clone()),
            (None, Some(url)) if !url.is_empty() => Some(Origin::parse(url)?),
            (None, _) => None,
        };
        Ok(Self(Arc::new(Media {
            has_token: client.as_ref().is_some_and(Client::has_token),
            cache: Cache::new(options.cache_dir.clone(), options.max_cache_bytes),
            downloader: Downloader::new(client, label_studio.clone(), options.clone())?,
            label_studio,
            public_addresses: RwLock::default(),
            access: Access::new(options.access_lifetime),
            counters: Counters::default(),
            options,
        })))
    }

    /// Adds an address that users reach Label Studio by, such as the `hostname` that comes with `/setup`: files at this
    /// address are asked of the configured one. What is not a web address is ignored.
    pub fn add_public_address(&self, url: &str) {
        let Ok(address) = Origin::parse(url) else {
            return;
        };
        let addresses = &self.0.public_addresses;
        let is_known = |known: &[Origin]| known.iter().any(|known| known.url() == address.url());
        if is_known(&addresses.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = addresses.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_PUBLIC_ADDRESSES {
            known.push(address);
        }
    }

    /// Returns a local path for the file that `url` means, downloading it unless it is on disk.
    ///
    /// `url` is what stands in a task's data: an upload (`/data/upload/<project>/<file>`), a file of local storage
    /// (`/data/local-files/?d=<path>`), an object in cloud storage (`s3://`, `gs://`, `azure-blob://`; needs the task's
    /// id), a web address or a `data:` address. The file must not be changed: it may be shared.
    pub fn local_path(&self, url: &str, task_id: Option<i64>) -> Result<PathBuf, MediaError> {
        let source = self.source(url)?;
        if let Some(path) = self.on_disk(&source)? {
            return Ok(path);
        }
        let download = self.download_of(&source, url, task_id)?;
        let path = self.path_of(&source, &download);
        if let (Source::Cloud(_), Download::From { key, url, .. }) = (&source, &download)
            && path.is_file()
        {
            let ask = || self.0.downloader.ask_for_access(url);
            self.0.access.check(key, ask)?;
        }
        let mut is_hit = true;
        let stored = self.0.cache.get_or_store(&path, |file| {
            is_hit = false;
            match &download {
                Download::From { url, fallback, .. } => self.fetch(url, fallback.as_ref(), file),
                Download::Content(value) => self.write_content(value, &path, file),
            }
        });
        if matches!(download, Download::From { .. }) {
            let counters = &self.0.counters;
            match &stored {
                Err(_) => increment(&counters.failures),
                Ok(()) if is_hit => increment(&counters.hits),
                Ok(()) => {
                    increment(&counters.downloads);
                    let n_bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
                    counters.bytes.fetch_add(n_bytes, Ordering::Relaxed);
                }
            }
        }
        stored?;
        Ok(path)
    }

    /// Returns how often files were found.
    pub fn counts(&self) -> MediaCounts {
        let counters = &self.0.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        MediaCounts {
            n_downloads: read(&counters.downloads),
            n_bytes: read(&counters.bytes),
            n_failures: read(&counters.failures),
            n_hits: read(&counters.hits),
        }
    }

    /// Returns the path that [`MediaFetcher::local_path`] would return, without downloading anything.
    pub fn cache_path(&self, url: &str, task_id: Option<i64>) -> Result<PathBuf, MediaError> {
        let source = self.source(url)?;
        if let Some(path) = self.on_disk(&source)? {
            return Ok(path);
        }
        let download = self.download_of(&source, url, task_id)?;
        Ok(self.path_of(&source, &download))
    }

    pub(super) fn options(&self) -> &MediaOptions {
        &self.0.options
    }

    /// Reads a value. Label Studio below a path puts that path before those of its files.
    pub(super) fn source(&self, value: &str) -> Result<Source, MediaError> {
        let value = value.trim();
        let base_path = self.0.label_studio.as_ref().map_or("", Origin::base_path);
        let source = match below(value, base_path) {
            Some(path) if !base_path.is_empty() => Source::parse(path)?,
            _ => Source::parse(value)?,
        };
        Ok(match source {
            Source::Web(url) => self.own_file(&url).unwrap_or(Source::Web(url)),
            source => source,
        })
    }

    /// Returns the file of Label Studio that a web address means: a file of local storage under any host, since only
    /// Label Studio serves these, and other files at an address that Label Studio is known by.
    fn own_file(&self, url: &Url) -> Option<Source> {
        if let Some(local) = local_storage(url) {
            return Some(local);
        }
        let known = &self.0.public_addresses;
        let known = known.read().unwrap_or_else(PoisonError::into_inner);
        let address = known.iter().find(|address| address.owns(url))?;
        let value = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let source = Source::parse(below(value, address.base_path())?).ok()?;
        let is_own = matches!(
            source,
            Source::Upload { .. } | Source::LocalFile { .. } | Source::Link(_)
        );
        is_own.then_some(source)
    }

    fn on_disk(&self, source: &Source) -> Result<Option<PathBuf>, MediaError> {
        match source {
            Source::LocalFile { path, .. } => match self.document_root() {
                Some(root) => local_file::find(root, path),
                None if local_file::climbs_out(path) => Err(MediaError::OutsideRoot {
                    path: path.clone(),
                    root: PathBuf::from("the document root"),
                }),
                None => Ok(None),
            },
            Source::Upload { project, file } => match &self.0.options.image_dir {
                Some(image_dir) => local_file::find(image_dir, &format!("{project}/{file}")),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// The file system's root would open the whole machine; it means that local files are switched off.
    fn document_root(&self) -> Option<&Path> {
        let root = self.0.options.document_root.as_deref()?;
        let is_root = root.parent().is_none() || root.as_os_str().is_empty();
        (!is_root).then_some(root)
    }

    fn download_of(
        &self,
        source: &Source,
        value: &str,
        task_id: Option<i64>,
    ) -> Result<Download, MediaError> {
        let (url, fallback) = match source {
            Source::Data(content) => return Ok(Download::Content(content.clone())),
            Source::Web(url) => (url.clone(), None),
            Source::Link(link) if link.starts_with(STATIC) => {
                (self.label_studio_address(value)?.join(link), None)
            }
            Source::LocalFile { link, .. } | Source::Link(link) => {
                (self.label_studio(value)?.join(link), None)
            }
            Source::Upload { project, file } => {
                let own = self.label_studio(value)?;
                let stored = format!("storage-data/uploaded/?filepath=upload/{project}/{file}");
                let direct = format!("data/upload/{project}/{file}");
                (own.join(&stored), Some(own.join(&direct)))
            }
            Source::Cloud(uri) => {
                let own = self.label_studio(value)?;
                let task_id = task_id.ok_or_else(|| MediaError::MissingTaskId {
                    value: shown(value),
                })?;
                let uri_in_base64 = BASE64_URL_SAFE.encode(uri);
                let path = format!("tasks/{task_id}/presign/?fileuri={uri_in_base64}");
                (own.join(&path), None)
            }
        };
        let key = match source {
            // Label Studio decides task by task who may use it.
            Source::Cloud(uri) => format!("{uri} of task {}", task_id.unwrap_or_default()),
            _ => fallback.as_ref().unwrap_or(&url).to_string(),
        };
        Ok(Download::From { key, url, fallback })
    }

    fn path_of(&self, source: &Source, download: &Download) -> PathBuf {
        match download {
            Download::From { key, .. } => self.0.cache.path(key, &source.file_name()),
            Download::Content(value) => self.0.cache.path(value, &data_url::file_name(value)),
        }
    }

    fn label_studio_address(&self, value: &str) -> Result<&Origin, MediaError> {
        let own = self.0.label_studio.as_ref();
        own.ok_or_else(|| MediaError::MissingLabelStudioUrl {
            value: shown(value),
        })
    }

    fn label_studio(&self, value: &str) -> Result<&Origin, MediaError> {
        let own = self.label_studio_address(value)?;
        if !self.0.has_token {
            return Err(MediaError::MissingToken {
                value: shown(value),
            });
        }
        Ok(own)
    }

    /// Downloads `url` or, when the server refuses it, `fallback`. The first error counts; the second explains it.
    fn fetch(&self, url: &Url, fallback: Option<&Url>, file: &mut File) -> Result<(), MediaError> {
        let deadline = self.0.downloader.deadline();
        let mut result = self.0.downloader.download(url, file, deadline);
        if let (Err(MediaError::Status { fallback: why, .. }), Some(fallback)) =
            (&mut result, fallback)
        {
            match self.0.downloader.download(fallback, file, deadline) {
                Ok(()) => return Ok(()),
                Err(error) => *why = Some(Box::new(error)),
            }
        }
        result
    }

    fn write_content(&self, value: &str, path: &Path, file: &mut File) -> Result<(), MediaError> {
        let content = data_url::decode(value)?;
        let limit = self.0.options.max_bytes;
        if content.len() as u64 > limit {
            return Err(MediaError::TooLarge {
                url: "a data address".to_owned(),
                limit,
            });
        }
        file.write_all(&content).map_err(|source| MediaError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

/// Returns the part of a path below another one.
fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|rest| rest.starts_with('/'))
}

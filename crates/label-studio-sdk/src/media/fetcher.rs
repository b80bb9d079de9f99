//! From a value in a task's data to a path.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE};
use url::Url;

use super::{
    MediaError, MediaOptions,
    cache::Cache,
    data_url,
    download::Downloader,
    local_file,
    source::{Source, shown},
};
use crate::{Client, client::Origin};

/// Finds the files that task data refers to, on disk or by downloading them once. Clones share the cache.
#[derive(Debug, Clone)]
pub struct MediaFetcher(Arc<Media>);

#[derive(Debug)]
struct Media {
    has_token: bool,
    label_studio: Option<Origin>,
    options: MediaOptions,
    cache: Cache,
    downloader: Downloader,
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
            has_token: client
                .as_ref()
                .is_some_and(|client| client.token_kind().is_some()),
            cache: Cache::new(options.cache_dir.clone(), options.max_cache_bytes),
            downloader: Downloader::new(client, label_studio.clone(), options.clone())?,
            label_studio,
            options,
        })))
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
        self.0.cache.get_or_store(&path, |file| match &download {
            Download::From { url, fallback, .. } => self.fetch(url, fallback.as_ref(), file),
            Download::Content(value) => self.write_content(value, &path, file),
        })?;
        Ok(path)
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
        match value.strip_prefix(base_path) {
            Some(rest) if !base_path.is_empty() && rest.starts_with('/') => Source::parse(rest),
            _ => Source::parse(value),
        }
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
            Source::Cloud(uri) => uri.clone(),
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

    fn label_studio(&self, value: &str) -> Result<&Origin, MediaError> {
        let Some(own) = &self.0.label_studio else {
            return Err(MediaError::MissingLabelStudioUrl {
                value: shown(value),
            });
        };
        if !self.0.has_token {
            return Err(MediaError::MissingToken {
                value: shown(value),
            });
        }
        Ok(own)
    }

    /// Downloads `url` or, when the server refuses it, `fallback`. The first error counts; the second explains it.
    fn fetch(&self, url: &Url, fallback: Option<&Url>, file: &mut File) -> Result<(), MediaError> {
        let mut result = self.0.downloader.download(url, file);
        if let (Err(MediaError::Status { fallback: why, .. }), Some(fallback)) =
            (&mut result, fallback)
        {
            match self.0.downloader.download(fallback, file) {
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

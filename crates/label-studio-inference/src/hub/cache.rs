//! The cache folder of `huggingface_hub`, which other programs use, too.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use hf_hub::{Cache as Layout, CacheRepo, Repo, RepoType};

use super::{
    HubError, HubFile,
    lock::{self, DownloadLock},
};

/// A repository's part of the cache: `blobs/` by content, `snapshots/<commit>/` by name, `refs/`
/// from names of revisions to commits.
#[derive(Debug)]
pub(super) struct RepoCache<'a> {
    file: &'a HubFile,
    dir: PathBuf,
    layout: CacheRepo,
}

impl<'a> RepoCache<'a> {
    pub(super) fn new(cache_dir: &Path, file: &'a HubFile) -> Self {
        let repo = Repo::with_revision(
            file.repo().to_owned(),
            RepoType::Model,
            file.revision().to_owned(),
        );
        Self {
            file,
            dir: cache_dir.join(repo.folder_name()),
            layout: Layout::new(cache_dir.to_owned()).repo(repo),
        }
    }

    /// Returns the file if it is there. The revision may be the name of a commit, for which there
    /// is no ref.
    pub(super) fn get(&self) -> Option<PathBuf> {
        let by_commit = self.pointer(self.file.revision());
        let found = self.layout.get(self.file.path());
        found.or_else(|| by_commit.exists().then_some(by_commit))
    }

    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.dir.join("blobs").join(etag)
    }

    /// Waits until no other process fetches `blob`, and locks it.
    pub(super) fn lock_download(&self, blob: &Path) -> Result<DownloadLock, HubError> {
        let blobs = self.dir.join("blobs");
        fs::create_dir_all(&blobs).map_err(|source| HubError::io(&blobs, source))?;
        let path = with_ending(blob, ".lock");
        lock::lock(&path, &self.file.to_string())
    }

    /// Links `blob` as the file at `commit`, and `commit` as the revision.
    pub(super) fn publish(&self, blob: &Path, commit: &str) -> Result<PathBuf, HubError> {
        let pointer = self.pointer(commit);
        let link = || -> io::Result<()> {
            fs::create_dir_all(pointer.with_file_name(""))?;
            if pointer.exists() {
                return Ok(());
            }
            if pointer.is_symlink() {
                fs::remove_file(&pointer)?;
            }
            let n_folders = self.file.path().split('/').count() + 1;
            let mut target = std::iter::repeat_n("..", n_folders).collect::<PathBuf>();
            target.push("blobs");
            target.extend(blob.file_name());
            match symlink(&target, blob, &pointer) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                result => result,
            }
        };
        link().map_err(|source| HubError::io(&pointer, source))?;
        if commit != self.file.revision() {
            let reference = self.dir.join("refs").join(self.file.revision());
            write_whole(&reference, commit).map_err(|source| HubError::io(&reference, source))?;
        }
        Ok(pointer)
    }

    fn pointer(&self, commit: &str) -> PathBuf {
        self.layout.pointer_path(commit).join(self.file.path())
    }
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Replaces a file atomically.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(path.with_file_name(""))?;
    let partial = with_ending(path, &format!(".{}", std::process::id()));
    fs::write(&partial, text)?;
    fs::rename(&partial, path)
}

#[cfg(unix)]
fn symlink(target: &Path, _blob: &Path, pointer: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, pointer)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, blob: &Path, pointer: &Path) -> io::Result<()> {
    fs::hard_link(blob, pointer)
}

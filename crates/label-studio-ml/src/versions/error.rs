//! Why a version cannot be made, found or activated.

use std::path::PathBuf;

use crate::store::StoreError;

/// Why a version cannot be made, found or activated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// A folder or file cannot be read or written.
    #[error("cannot use {}; is the disk full, or MODEL_DIR not writable?", .path.display())]
    Folder {
        /// Folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is a version of this name already, and versions are never overwritten.
    #[error("there is a version {version:?} already; give the new one another name")]
    Exists {
        /// Name of the version.
        version: String,
    },
    /// There is no such version.
    #[error("project {project} has no version {version:?}; GET /versions lists those it has")]
    Unknown {
        /// Project that was meant.
        project: String,
        /// Name of the version.
        version: String,
    },
    /// The name is empty or too long for a folder.
    #[error("{version:?} cannot be the name of a version: it is empty or too long")]
    Name {
        /// Name of the version.
        version: String,
    },
    /// The job was cancelled, so what it made is not used.
    #[error("the training was cancelled; the version before it stays active")]
    Cancelled,
    /// The object store cannot be used.
    #[error(transparent)]
    Artifacts(#[from] ArtifactError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an object store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {place}; check ARTIFACT_URL and the credentials of the object store")]
pub struct ArtifactError {
    /// Address of the store.
    pub place: String,
    /// What the store said.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

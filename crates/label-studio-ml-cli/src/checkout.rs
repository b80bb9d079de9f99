//! A checkout of the repository of label-studio-ml on this machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Root of the checkout that this program was built in. `cargo install` and `pip install` put the program elsewhere.
const BUILT_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A folder with the whole repository.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// Returns the checkout whose root or crate `label-studio-ml` is `path`.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let root = path.canonicalize().ok()?;
        let candidates = [Some(root.as_path()), root.ancestors().nth(2)];
        candidates.into_iter().flatten().find_map(Self::rooted_at)
    }

    /// Returns the checkout at `path`, or without one that of this program.
    ///
    /// # Errors
    /// When there is none; the error says where to get one.
    pub(crate) fn named(path: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = path {
            return Self::at(path).with_context(|| {
                format!("{} is not a checkout of label-studio-ml", path.display())
            });
        }
        Self::of_program().with_context(|| {
            format!(
                "the ready backends are in the repository: git clone {}, then name the folder with --sdk-path",
                env!("CARGO_PKG_REPOSITORY")
            )
        })
    }

    /// Returns the checkout around this program, or the one that it was built in if that still exists.
    pub(crate) fn of_program() -> Option<Self> {
        let program = std::env::current_exe().ok();
        let around = program
            .iter()
            .flat_map(|program| program.ancestors().skip(1))
            .find_map(Self::rooted_at);
        around.or_else(|| Self::at(Path::new(BUILT_IN)))
    }

    /// Returns the folder of the crate that backends depend on.
    pub(crate) fn sdk(&self) -> PathBuf {
        self.root.join("crates/label-studio-ml")
    }

    /// Returns the lockfile with the versions of all dependencies that the checkout is tested with.
    pub(crate) fn lockfile(&self) -> PathBuf {
        self.root.join("Cargo.lock")
    }

    /// Returns the folder of the ready backends.
    pub(crate) fn examples(&self) -> PathBuf {
        self.root.join("examples")
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn rooted_at(root: &Path) -> Option<Self> {
        let checkout = Self {
            root: root.to_owned(),
        };
        let manifest = fs::read_to_string(checkout.sdk().join("Cargo.toml")).ok()?;
        let is_sdk = manifest
            .lines()
            .any(|line| line == "name = \"label-studio-ml\"");
        is_sdk.then_some(checkout)
    }
}

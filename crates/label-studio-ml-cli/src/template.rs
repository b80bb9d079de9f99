//! The files of a new backend, from `template/`.

use std::{fs, io, path::Path};

use crate::{backend_name::BackendName, checkout::Checkout};

/// Name of the backend in the template, both as a package and in Rust code.
const TEMPLATE_NAME: &str = "my_backend";
/// The dependency as the template writes it.
const TEMPLATE_DEPENDENCY: &str = "label-studio-ml = \"*\"";

/// Where cargo finds the checkout on this machine.
const CONFIG: &str = ".cargo/config.toml";
/// The new package in the lockfile.
const LOCKED_PACKAGE: &str = "\n[[package]]\nname = \"my_backend\"\nversion = \"0.1.0\"\n\
     dependencies = [\"clap\", \"label-studio-ml\"]\n";

/// Path and text of every file. Cargo leaves out of a package any folder that contains a `Cargo.toml`, hence `.in`.
const FILES: &[(&str, &str)] = &[
    (".dockerignore", include_str!("../template/.dockerignore")),
    (".gitignore", include_str!("../template/.gitignore")),
    ("Cargo.toml", include_str!("../template/Cargo.toml.in")),
    ("Dockerfile", include_str!("../template/Dockerfile")),
    ("README.md", include_str!("../template/README.md")),
    (
        "docker-compose.yml",
        include_str!("../template/docker-compose.yml"),
    ),
    ("src/lib.rs", include_str!("../template/src/lib.rs")),
    ("src/main.rs", include_str!("../template/src/main.rs")),
    ("tests/model.rs", include_str!("../template/tests/model.rs")),
];

/// Where a new backend takes `label-studio-ml` from.
pub(crate) struct Sdk {
    /// Address of the git repository.
    pub(crate) repository: String,
    /// Commit or tag of it; its default branch if not given.
    pub(crate) rev: Option<String>,
    /// Folder that replaces the repository on this machine.
    pub(crate) checkout: Option<Checkout>,
}

/// Writes the files of a backend called `name` into `folder`.
///
/// The manifest depends on the git repository, so that the folder can be built anywhere. A checkout is used by a file of
/// cargo's that git and Docker ignore.
pub(crate) fn write(folder: &Path, name: &BackendName, sdk: &Sdk) -> io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        let name = if is_rust {
            name.crate_name()
        } else {
            name.as_str().to_owned()
        };
        let text = text
            .replace(TEMPLATE_DEPENDENCY, &sdk.git_dependency())
            .replace(TEMPLATE_NAME, &name);
        fs::write(path, text)?;
    }
    let Some(checkout) = &sdk.checkout else {
        return Ok(());
    };
    fs::create_dir(folder.join(".cargo"))?;
    fs::write(folder.join(CONFIG), sdk.patch(checkout))?;
    // The versions that the checkout is tested with. With the crate in the lockfile cargo does not ask the repository.
    if let Ok(locked) = fs::read_to_string(checkout.lockfile()) {
        let package = LOCKED_PACKAGE.replace(TEMPLATE_NAME, name.as_str());
        fs::write(folder.join("Cargo.lock"), locked + &package)?;
    }
    Ok(())
}

/// Makes a member of a workspace depend on the checkout itself: cargo reads the configuration of the workspace only.
pub(crate) fn depend_on_path(folder: &Path, sdk: &Sdk, checkout: &Checkout) -> io::Result<()> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let dependency = format!("label-studio-ml = {{ path = {} }}", quoted_path(checkout));
    fs::write(&manifest, text.replace(&sdk.git_dependency(), &dependency))?;
    fs::remove_dir_all(folder.join(".cargo"))?;
    match fs::remove_file(folder.join("Cargo.lock")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether `folder` holds a backend that [`write`] wrote.
pub(crate) fn is_generated(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest
        .lines()
        .any(|line| line.trim() == "[package.metadata.label-studio-ml]")
}

impl Sdk {
    fn git_dependency(&self) -> String {
        let repository = quoted(&self.repository);
        match &self.rev {
            Some(rev) => {
                format!(
                    "label-studio-ml = {{ git = {repository}, rev = {} }}",
                    quoted(rev)
                )
            }
            None => format!("label-studio-ml = {{ git = {repository} }}"),
        }
    }

    fn patch(&self, checkout: &Checkout) -> String {
        let (repository, path) = (quoted(&self.repository), quoted_path(checkout));
        format!(
            "# Builds this backend with a checkout on this machine. Without this file cargo uses the git repository.\n\
             [patch.{repository}]\n\
             label-studio-ml = {{ path = {path} }}\n"
        )
    }
}

fn quoted_path(checkout: &Checkout) -> String {
    quoted(&checkout.sdk().to_string_lossy())
}

/// Writes a text for TOML; a JSON string is a TOML string too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! The files of a new backend, from `template/`.

use std::{fs, io, path::Path};

use crate::backend_name::BackendName;

/// Name of the backend in the template, both as a package and in Rust code.
const TEMPLATE_NAME: &str = "my_backend";
/// The dependency as the template writes it.
const TEMPLATE_DEPENDENCY: &str = "label-studio-ml = \"*\"";

/// Path and text of every file. Cargo leaves out of a package any folder with a `Cargo.toml` of its own, hence `.in`.
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
pub(crate) enum Dependency<'a> {
    /// The package registry, in the version of this program.
    Release,
    /// The folder of the crate.
    Folder(&'a Path),
}

/// Writes the files of a backend called `name` into `folder`.
pub(crate) fn write(
    folder: &Path,
    name: &BackendName,
    dependency: &Dependency<'_>,
) -> io::Result<()> {
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
            .replace(TEMPLATE_DEPENDENCY, &dependency.to_toml())
            .replace(TEMPLATE_NAME, &name);
        fs::write(path, text)?;
    }
    Ok(())
}

/// Returns whether `folder` holds a backend that [`write`] wrote.
pub(crate) fn is_generated(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest
        .lines()
        .any(|line| line.trim() == "[package.metadata.label-studio-ml]")
}

impl Dependency<'_> {
    fn to_toml(&self) -> String {
        match self {
            Self::Release => format!("label-studio-ml = \"{}\"", env!("CARGO_PKG_VERSION")),
            Self::Folder(path) => {
                // A JSON string is a TOML string too.
                let path = serde_json::Value::from(path.to_string_lossy());
                format!("label-studio-ml = {{ path = {path} }}")
            }
        }
    }
}

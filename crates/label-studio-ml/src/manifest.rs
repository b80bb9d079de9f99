//! What a backend's manifest says that it labels.

use anyhow::Context;
use label_studio_sdk::{LabelConfig, TagNames};
use serde::Deserialize;

/// Returns the text of the manifest (`Cargo.toml`) of the crate that uses it, for
/// [`Model::manifest`](crate::Model::manifest).
#[macro_export]
macro_rules! manifest {
    () => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
    };
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Package {
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    backend: Backend,
}

/// `[package.metadata.backend]`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Backend {
    /// Kinds of the control tags, of which it needs one; none are needed when this is empty.
    controls: Vec<String>,
    /// Kinds of the objects that the control may label; all when this is empty.
    objects: Vec<String>,
}

/// Checks that a label config has one of the manifest's control tags on one of its objects.
pub(crate) fn check(manifest: &str, label_config: &LabelConfig) -> anyhow::Result<()> {
    let manifest: Manifest =
        toml::from_str(manifest).context("the manifest of the backend cannot be read")?;
    let Backend { controls, objects } = &manifest.package.metadata.backend;
    if controls.is_empty() {
        return Ok(());
    }
    let controls: Vec<_> = controls.iter().map(String::as_str).collect();
    let objects: Vec<_> = objects.iter().map(String::as_str).collect();
    let object = match objects.as_slice() {
        [] => TagNames::All,
        objects => TagNames::AnyOf(objects),
    };
    label_config.first_pair(controls.as_slice(), object)?;
    Ok(())
}

//! Calls of cargo.

use std::{
    io::{BufRead, BufReader, ErrorKind},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

/// How to build a backend.
pub(crate) struct Build<'a> {
    /// Folder with its `Cargo.toml`.
    pub(crate) folder: &'a Path,
    /// Whether to skip optimisations.
    pub(crate) dev: bool,
    /// Features of the package to switch on.
    pub(crate) features: &'a [String],
}

/// One line of cargo's report. Messages without a program are ignored.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
}

impl Build<'_> {
    /// Builds the package and returns its programs. Cargo's messages go to the standard error.
    pub(crate) fn run(&self) -> anyhow::Result<Vec<PathBuf>> {
        let manifest = self.folder.join("Cargo.toml").canonicalize()?;
        let mut command = Command::new("cargo");
        command.args([
            "build",
            "--bins",
            "--message-format=json-render-diagnostics",
            "--manifest-path",
        ]);
        command.arg(&manifest);
        if !self.dev {
            command.arg("--release");
        }
        if !self.features.is_empty() {
            command.arg("--features").arg(self.features.join(","));
        }
        // Cargo reads the .cargo/config.toml of the folder that it runs in, not of the manifest.
        let mut cargo = command
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(explain)?;
        let report = cargo.stdout.take().context("cargo has no output")?;
        let mut programs = Vec::new();
        for line in BufReader::new(report).lines() {
            // A build script may print anything.
            let Ok(message) = serde_json::from_str::<Message>(&line?) else {
                continue;
            };
            if message.manifest_path.as_ref() == Some(&manifest) {
                programs.extend(message.executable);
            }
        }
        if !cargo.wait()?.success() {
            bail!(
                "{} does not build; see cargo's messages above",
                self.folder.display()
            );
        }
        Ok(programs)
    }
}

/// Returns the manifest of the workspace that `manifest` belongs to, which is `manifest` itself outside a workspace.
///
/// `None` when a folder above has a workspace of which it is not a member. Returns `manifest` if cargo cannot be run.
pub(crate) fn workspace_of(manifest: &Path) -> Option<PathBuf> {
    let mut command = Command::new("cargo");
    command.args([
        "locate-project",
        "--workspace",
        "--message-format",
        "plain",
        "--manifest-path",
    ]);
    let Ok(output) = command.arg(manifest).stdin(Stdio::null()).output() else {
        return Some(manifest.to_owned());
    };
    if output.status.success() {
        return Some(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).trim_end(),
        ));
    }
    let is_no_member = String::from_utf8_lossy(&output.stderr).contains("workspace");
    (!is_no_member).then(|| manifest.to_owned())
}

fn explain(error: std::io::Error) -> anyhow::Error {
    if error.kind() == ErrorKind::NotFound {
        return anyhow!("cargo is not installed or not on PATH; get it from https://rustup.rs");
    }
    anyhow!(error).context("cannot run cargo")
}

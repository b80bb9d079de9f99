//! `label-studio-ml list`: the ready backends of a checkout.

use std::{
    fmt::Write as _,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::checkout::Checkout;

const EXAMPLES: &str = "\
Examples:
  label-studio-ml list                 every backend: how it labels, and what
  label-studio-ml list yolo            one backend: its tags, weights and needs
  label-studio-ml list --json          all of it, for programs

Serve one with: label-studio-ml start CHECKOUT/examples/NAME";

/// List the ready backends
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    /// Backend to describe in full
    name: Option<String>,

    /// Checkout of label-studio-ml [default: the one that this program was built in]
    #[arg(long, value_name = "DIR")]
    sdk_path: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `[package.metadata.backend]` in the manifest of a backend; CONTRIBUTING.md describes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Backend {
    #[serde(skip_deserializing)]
    name: String,
    title: String,
    summary: String,
    modes: Vec<Mode>,
    controls: Vec<String>,
    objects: Vec<String>,
    weights: Vec<Weights>,
    needs: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    PreAnnotation,
    Interactive,
    Training,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    name: String,
    source: String,
    licence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    backend: Option<Backend>,
}

impl ListArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let mut backends = read(&Checkout::named(self.sdk_path.as_deref())?.examples())?;
        if let Some(name) = &self.name {
            backends.retain(|backend| backend.name == *name);
            let backend = backends.first().with_context(|| {
                format!("there is no backend {name}; `label-studio-ml list` names all")
            })?;
            if !self.json {
                out.write_all(describe(backend).as_bytes())?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        let text = if self.json {
            serde_json::to_string_pretty(&backends)? + "\n"
        } else {
            table(&backends)
        };
        out.write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads the metadata of all backends in a folder, sorted by name.
fn read(examples: &Path) -> anyhow::Result<Vec<Backend>> {
    let entries =
        fs::read_dir(examples).with_context(|| format!("cannot read {}", examples.display()))?;
    let mut backends = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        let manifest = folder.join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else {
            continue;
        };
        let read: Manifest =
            toml::from_str(&text).with_context(|| format!("cannot read {}", manifest.display()))?;
        if let Some(mut backend) = read.package.metadata.and_then(|metadata| metadata.backend) {
            backend.name = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            backends.push(backend);
        }
    }
    backends.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(backends)
}

fn table(backends: &[Backend]) -> String {
    let heads = ["NAME", "MODES", "OBJECTS", "SUMMARY"].map(str::to_owned);
    let rows = backends.iter().map(|backend| {
        [
            backend.name.clone(),
            modes(backend),
            joined(&backend.objects),
            backend.summary.clone(),
        ]
    });
    let rows: Vec<_> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let [name, modes, objects] = [width(0), width(1), width(2)];
    let mut text = String::new();
    for row in &rows {
        let _ = writeln!(
            text,
            "{:name$}  {:modes$}  {:objects$}  {}",
            row[0], row[1], row[2], row[3]
        );
    }
    text
}

fn describe(backend: &Backend) -> String {
    let mut text = format!(
        "{}: {}\n{}\n\n",
        backend.name, backend.title, backend.summary
    );
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<14}{value}");
    };
    line("modes", modes(backend));
    line("control tags", joined(&backend.controls));
    line("object tags", joined(&backend.objects));
    line("needs", joined(&backend.needs));
    for weights in &backend.weights {
        let size = weights.size.as_ref().map(|size| format!(", {size}"));
        line(
            "weights",
            format!(
                "{} ({}{}) {}",
                weights.name,
                weights.licence,
                size.unwrap_or_default(),
                weights.source
            ),
        );
    }
    text
}

fn modes(backend: &Backend) -> String {
    let names: Vec<_> = backend.modes.iter().map(|mode| mode.name()).collect();
    joined(&names)
}

fn joined(names: &[impl AsRef<str>]) -> String {
    if names.is_empty() {
        return "-".to_owned();
    }
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    names.join(", ")
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::PreAnnotation => "pre-annotation",
            Self::Interactive => "interactive",
            Self::Training => "training",
        }
    }
}

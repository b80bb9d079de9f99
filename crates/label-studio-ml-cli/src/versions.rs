//! `versions`: the versions of a backend's models, listed and rolled back.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use crate::{backend::BackendArgs, terminal::line};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml versions list
  label-studio-ml versions activate sentiment-v2 --project 1";

/// List the versions of a backend's models, and go back to one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct VersionsArgs {
    #[command(flatten)]
    backend: BackendArgs,

    #[command(subcommand)]
    command: VersionsCommand,
}

#[derive(Debug, Subcommand)]
enum VersionsCommand {
    /// List versions, the newest of each project first; the active one has a star
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a version the active one of its project
    Activate {
        /// Name of the version
        version: String,

        /// Project; may be left out if only one has such a version
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
}

/// A version, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Shown {
    project: String,
    version: String,
    is_active: bool,
    #[serde(default)]
    metrics: Value,
}

impl VersionsArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let backend = self.backend.backend()?;
        match self.command {
            VersionsCommand::List { json } => {
                let reply = backend.json(Method::GET, &["versions"], &[])?;
                if json {
                    writeln!(out, "{reply:#}")?;
                } else {
                    write_list(out, reply)?;
                }
            }
            VersionsCommand::Activate { version, project } => {
                let query: Vec<_> = project.map(|id| ("project", id)).into_iter().collect();
                let reply =
                    backend.json(Method::POST, &["versions", &version, "activate"], &query)?;
                let project = reply["project"].as_str().unwrap_or_default();
                writeln!(out, "project {} uses {}", line(project), line(&version))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write_list(out: &mut dyn Write, mut reply: Value) -> anyhow::Result<()> {
    let details = match reply["details"].take() {
        Value::Null => Value::Array(Vec::new()),
        details => details,
    };
    let versions: Vec<Shown> = serde_json::from_value(details)
        .context("the backend does not answer with versions; is it current?")?;
    for version in versions {
        let star = if version.is_active { "*" } else { " " };
        let metrics = match version.metrics {
            Value::Null => String::new(),
            metrics => metrics.to_string(),
        };
        let text = format!("{star} {}  {}  {metrics}", version.project, version.version);
        writeln!(out, "{}", line(&text).trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::write_list;

    #[test]
    fn the_active_version_has_a_star() {
        let reply = json!({ "versions": ["a"], "details": [
            { "project": "1", "version": "v2", "is_active": false, "metrics": null, "n_bytes": 7 },
            { "project": "1", "version": "v1", "is_active": true, "metrics": { "f1": 0.5 } },
        ] });
        let mut out = Vec::new();
        write_list(&mut out, reply).unwrap();
        let expected = "  1  v2\n* 1  v1  {\"f1\":0.5}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        write_list(&mut out, json!({ "versions": [] })).unwrap();
        assert!(out.is_empty());
    }
}

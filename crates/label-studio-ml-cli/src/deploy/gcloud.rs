//! The calls of `gcloud` that put a backend on Google Cloud Run.

use std::{
    ffi::OsString,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{anyhow, bail, ensure};

use super::secret_file::SecretFile;
use crate::shell::quoted;

/// Name of the file of variables in the output of a dry run.
const SHOWN_FILE: &str = "VARIABLES.yaml";

/// A service of Cloud Run to create or replace.
pub(super) struct Deployment {
    pub(super) service: String,
    pub(super) source: PathBuf,
    pub(super) project: String,
    pub(super) region: String,
    /// Environment of the service. Values may be secret.
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Deployment {
    /// Runs the commands, or prints them.
    pub(super) fn run(&self, dry_run: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        if dry_run {
            return Ok(self.print(out)?);
        }
        let identity = gcloud(&print_identity_token())
            .stdout(Stdio::piped())
            .output()
            .map_err(explain)?;
        ensure!(
            identity.status.success() && !identity.stdout.trim_ascii().is_empty(),
            "gcloud is not signed in; run `gcloud auth login`"
        );
        call(&self.set_project())?;
        let file = SecretFile::create(&self.yaml(|_, value| value))?;
        call(&self.deploy(file.path()))
    }

    fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for call in [
            print_identity_token(),
            self.set_project(),
            self.deploy(Path::new(SHOWN_FILE)),
        ] {
            let words: Vec<_> = call
                .iter()
                .map(|word| quoted(&word.to_string_lossy()))
                .collect();
            writeln!(out, "gcloud {}", words.join(" "))?;
        }
        let is_secret = |name: &str| name.ends_with("_KEY") || name.ends_with("_PASS");
        let masked = self.yaml(|name, value| if is_secret(name) { "********" } else { value });
        write!(
            out,
            "\n# {SHOWN_FILE}, a temporary file that only you can read:\n{masked}"
        )
    }

    fn set_project(&self) -> Vec<OsString> {
        words(["config", "set", "project", &self.project])
    }

    fn deploy(&self, variables: &Path) -> Vec<OsString> {
        let mut call = words(["run", "deploy", &self.service, "--source"]);
        call.push(self.source.clone().into());
        call.extend(words([
            "--region",
            &self.region,
            "--allow-unauthenticated",
            "--quiet",
            "--env-vars-file",
        ]));
        call.push(variables.into());
        call
    }

    /// Writes the variables as YAML; a JSON string is a YAML string too.
    fn yaml<'a>(&'a self, shown: impl Fn(&str, &'a str) -> &'a str) -> String {
        let line = |(name, value): &'a (&'static str, String)| {
            format!("{name}: {}\n", serde_json::Value::from(shown(name, value)))
        };
        self.variables.iter().map(line).collect()
    }
}

fn print_identity_token() -> Vec<OsString> {
    words(["auth", "print-identity-token"])
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}

fn gcloud(call: &[OsString]) -> Command {
    let mut command = Command::new("gcloud");
    command.args(call).stdin(Stdio::null());
    command
}

fn call(call: &[OsString]) -> anyhow::Result<()> {
    let status = gcloud(call).status().map_err(explain)?;
    if !status.success() {
        let verb: Vec<_> = call
            .iter()
            .take(2)
            .map(|word| word.to_string_lossy())
            .collect();
        bail!(
            "`gcloud {}` failed ({status}); see gcloud's messages above",
            verb.join(" ")
        );
    }
    Ok(())
}

fn explain(error: std::io::Error) -> anyhow::Error {
    if error.kind() == ErrorKind::NotFound {
        return anyhow!(
            "gcloud is not installed or not on PATH; get it from https://cloud.google.com/sdk"
        );
    }
    anyhow!(error).context("cannot run gcloud")
}

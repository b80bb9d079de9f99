//! `label-studio-ml deploy`: puts a backend on a cloud provider.

mod gcloud;
mod secret_file;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser};

use crate::terminal;
use gcloud::Deployment;

const EXAMPLES: &str = "\
Examples:
  label-studio-ml deploy gcp my_backend --gcp-project-id my-project --dry-run
  LABEL_STUDIO_API_KEY=... GCP_PROJECT=my-project label-studio-ml deploy gcp my_backend

The gcloud program must be installed and signed in. Cloud Run builds the folder's Dockerfile and
makes the backend public: set a user and a password, and enter them in Label Studio too.";

/// Put a backend on a cloud provider
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeployArgs {
    /// Provider
    provider: Provider,

    /// Folder of the backend; with hyphens for underscores it names the service
    name: PathBuf,

    /// Folder that NAME is relative to
    #[arg(long, value_name = "DIR", default_value = ".")]
    root_dir: PathBuf,

    /// Project of Google Cloud
    #[arg(long, value_name = "ID", env = "GCP_PROJECT", value_parser = NonEmptyStringValueParser::new())]
    gcp_project_id: String,

    /// Region of Google Cloud
    #[arg(
        long,
        value_name = "REGION",
        env = "GCP_REGION",
        default_value = "us-central1"
    )]
    gcp_region: String,

    /// Address of Label Studio, as the provider reaches it
    #[arg(long, value_name = "URL", default_value = "https://app.heartex.com")]
    label_studio_host: String,

    /// Access token of a Label Studio account; use the variable to keep it out of the process list
    #[arg(
        long,
        value_name = "KEY",
        env = "LABEL_STUDIO_API_KEY",
        hide_env_values = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    label_studio_api_key: String,

    /// User name that callers of the backend must send
    #[arg(
        long,
        value_name = "USER",
        env = "BASIC_AUTH_USER",
        hide_env_values = true,
        requires = "basic_auth_pass"
    )]
    basic_auth_user: Option<String>,

    /// Password that callers of the backend must send
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "BASIC_AUTH_PASS",
        hide_env_values = true,
        requires = "basic_auth_user"
    )]
    basic_auth_pass: Option<String>,

    /// Print the gcloud commands, with secrets masked, without running them
    #[arg(long)]
    dry_run: bool,

    /// Deploy even if the checks of the folder fail
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Provider {
    /// Google Cloud Run
    Gcp,
}

impl DeployArgs {
    pub(crate) fn run(&self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let source = self.root_dir.join(&self.name);
        check_source(&source, self.force)?;
        if self.basic_auth().is_none() {
            terminal::note(
                "without --basic-auth-user and --basic-auth-pass any client can call the backend",
            );
        }
        match self.provider {
            Provider::Gcp => self.gcp(&source)?.run(self.dry_run, out)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn gcp(&self, source: &Path) -> anyhow::Result<Deployment> {
        Ok(Deployment {
            service: service_name(source)?,
            source: source.to_owned(),
            project: self.gcp_project_id.clone(),
            region: self.gcp_region.clone(),
            variables: self.variables(),
        })
    }

    /// User name and password; empty variables, as compose files set them, count as not given.
    fn basic_auth(&self) -> Option<(&String, &String)> {
        let both = self
            .basic_auth_user
            .as_ref()
            .zip(self.basic_auth_pass.as_ref())?;
        (!both.0.is_empty() && !both.1.is_empty()).then_some(both)
    }

    /// Environment variables of the backend: the names of the Python original, and those it reads today.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("LABEL_STUDIO_ML_BACKEND_V2", "1".to_owned()),
            ("LABEL_STUDIO_HOSTNAME", self.label_studio_host.clone()),
            ("LABEL_STUDIO_URL", self.label_studio_host.clone()),
            ("LABEL_STUDIO_API_KEY", self.label_studio_api_key.clone()),
        ];
        if let Some((user, pass)) = self.basic_auth() {
            variables.extend([
                ("BASIC_AUTH_USER", user.clone()),
                ("BASIC_AUTH_PASS", pass.clone()),
            ]);
        }
        variables
    }
}

fn check_source(source: &Path, force: bool) -> anyhow::Result<()> {
    let shown = source.display();
    ensure!(
        source.is_dir(),
        "there is no folder {shown}; `label-studio-ml create NAME` makes a new backend"
    );
    if force {
        return Ok(());
    }
    ensure!(
        source.join("Dockerfile").is_file(),
        "{shown} has no Dockerfile for the provider to build; add one, or deploy anyway with --force"
    );
    let manifest = std::fs::read_to_string(source.join("Cargo.toml")).unwrap_or_default();
    let depends_on_folder =
        |line: &str| line.starts_with("label-studio-ml") && line.contains("path =");
    ensure!(
        !manifest.lines().any(depends_on_folder),
        "{shown} depends on a folder of this machine, which the provider does not get; \
         write a version of label-studio-ml into its Cargo.toml, or deploy anyway with --force"
    );
    Ok(())
}

/// Returns the name of the service for a folder: lower-case letters, digits and hyphens, at most 49 of them.
fn service_name(source: &Path) -> anyhow::Result<String> {
    let folder = source.canonicalize()?;
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .context("the folder has no name")?;
    let service = name.replace('_', "-").to_ascii_lowercase();
    let is_allowed =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    ensure!(
        service.len() < 50
            && service.starts_with(|first: char| first.is_ascii_lowercase())
            && !service.ends_with('-')
            && service.chars().all(is_allowed),
        "{service:?} cannot name a service of Cloud Run; rename the folder: \
         lower-case letters, digits and hyphens, a letter first, fewer than 50"
    );
    Ok(service)
}

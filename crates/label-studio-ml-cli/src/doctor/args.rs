//! The flags of `doctor` and `connect`.

use std::{path::Path, time::Duration};

use clap::Args;
use label_studio_ml::settings::{BasicAuthArgs, LabelStudioArgs};
use label_studio_sdk::{
    ClientOptions, MediaOptions,
    http::{HttpError, HttpOptions, NetworkArgs},
};

use crate::backend::{Backend, BackendUrl, basic};

/// Time that Label Studio gives a prediction, the longest it waits for anything.
const LONGEST_LIMIT: Duration = Duration::from_secs(100);

const DOCTOR_EXAMPLES: &str = "\
Examples:
  label-studio-ml doctor --label-studio-api-key ...
  label-studio-ml doctor --project 1 --backend-url http://192.168.1.5:9090
  label-studio-ml doctor --project 1 --fix
  LABEL_STUDIO_URL=https://ls.example LABEL_STUDIO_API_KEY=... label-studio-ml doctor --project 1

Run it on the machine of the backend, so that it uses the same network and files, with the backend's
variables. It calls the backend's /setup and /predict for one task. Without --fix it changes nothing
in Label Studio. Exit code 1: a check failed.";

const CONNECT_EXAMPLES: &str = "\
Examples:
  label-studio-ml connect --project 1 --backend-url http://192.168.1.5:9090
  label-studio-ml connect --project 1 --backend-url http://backend.example:9090 \\
      --basic-auth-user ls --basic-auth-pass ...

Give the address that Label Studio uses for the backend: in a container, localhost is the container
itself. It may be run again: what is in order is not changed. Exit code 1: a check failed.";

/// Check why Label Studio shows no predictions, and suggest fixes
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(super) checked: CheckedArgs,

    /// Correct the project's settings in Label Studio: interactive preannotations, webhook, credentials
    #[arg(long)]
    pub(super) fix: bool,
}

/// Connect a backend to a project, correct the project's settings, and predict a task to prove it
#[derive(Debug, Args)]
#[command(after_help = CONNECT_EXAMPLES)]
pub(crate) struct ConnectArgs {
    #[command(flatten)]
    pub(super) checked: CheckedArgs,

    /// Name of the backend in Label Studio; that of its model by default
    #[arg(long, value_name = "TEXT")]
    pub(super) title: Option<String>,
}

/// What is checked, and how it is reached.
#[derive(Debug, Args)]
pub(super) struct CheckedArgs {
    /// Address of the backend, preferably the one that Label Studio uses
    #[arg(long, value_name = "URL", default_value = "http://localhost:9090")]
    pub(super) backend_url: BackendUrl,

    /// Number of the project; may be left out if there is only one
    #[arg(long, value_name = "ID")]
    pub(super) project: Option<i64>,

    /// Number of the task to predict, instead of the project's first
    #[arg(long, value_name = "ID")]
    pub(super) task: Option<i64>,

    /// Credentials of the backend
    #[command(flatten)]
    pub(super) basic_auth: BasicAuthArgs,

    /// How to reach Label Studio and the files of its tasks: the flags and variables of every backend
    #[command(flatten)]
    pub(super) label_studio: LabelStudioArgs,

    /// How other machines are reached
    #[command(flatten)]
    pub(super) network: NetworkArgs,
}

impl CheckedArgs {
    /// Returns the address of Label Studio.
    pub(super) fn url(&self) -> &str {
        self.label_studio.url().unwrap_or("http://localhost:8080")
    }

    /// Returns the client of the backend.
    pub(super) fn backend(&self) -> Result<Backend, HttpError> {
        let mut address = self.backend_url.clone();
        if let Some((user, pass)) = self.basic_auth.credentials() {
            address.authorization = Some(basic(user, pass));
        }
        let options = HttpOptions {
            network: self.network.options(),
            verify_ssl: self.label_studio.verifies_certificates(),
            verify_setting: Some("LABEL_STUDIO_VERIFY_SSL"),
            connect_timeout: Duration::from_secs(5),
            read_timeout: LONGEST_LIMIT,
            overall_timeout: Some(LONGEST_LIMIT),
            ..HttpOptions::default()
        };
        Backend::new(address, &options)
    }

    /// Returns how to reach Label Studio, without a token.
    pub(super) fn client_options(&self) -> ClientOptions {
        self.label_studio
            .client_options(self.url(), self.network.options())
    }

    /// Returns how to download files into `folder`.
    pub(super) fn media_options(&self, folder: &Path) -> MediaOptions {
        self.label_studio
            .media_options(folder, self.network.options())
    }
}

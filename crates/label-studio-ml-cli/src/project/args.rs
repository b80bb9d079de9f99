//! Flags of the commands for whole projects, and the connections that they describe.

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use clap::{Args, ValueHint};
use label_studio_ml::settings::{BasicAuthArgs, LabelStudioArgs};
use label_studio_sdk::{
    Client,
    http::{HttpOptions, NetworkArgs},
};

use super::local_backend::LocalBackend;
use crate::{
    backend::{Backend, BackendUrl, basic},
    python::Python,
};

/// How to reach Label Studio
#[derive(Debug, Args)]
pub(crate) struct LabelStudioConnection {
    /// How to reach Label Studio: the flags and variables of every backend
    #[command(flatten)]
    pub(crate) label_studio: LabelStudioArgs,

    /// How other machines are reached
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

impl LabelStudioConnection {
    /// Returns the address of Label Studio.
    pub(crate) fn url(&self) -> &str {
        self.label_studio.url().unwrap_or("http://localhost:8080")
    }

    /// Creates a client of Label Studio. Nothing is sent yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let options = self
            .label_studio
            .client_options(self.url(), self.network.options());
        let token = self.label_studio.api_key().unwrap_or_default();
        Ok(Client::new(options.with_token(token))?)
    }
}

/// The backend that predicts
#[derive(Debug, Args)]
#[command(next_help_heading = "Backend")]
pub(crate) struct ModelArgs {
    /// Address of a backend that runs
    #[arg(long, value_name = "URL", default_value = "http://localhost:9090")]
    pub(crate) backend_url: BackendUrl,

    /// Folder or program of a backend to start for this command; it listens on this machine only
    #[arg(long, value_name = "PATH", conflicts_with = "backend_url", value_hint = ValueHint::AnyPath)]
    pub(crate) backend: Option<PathBuf>,

    /// Option for the backend that is started; may be given several times
    #[arg(
        long,
        value_name = "OPTION",
        requires = "backend",
        allow_hyphen_values = true
    )]
    pub(crate) backend_option: Vec<String>,

    /// Credentials of the backend
    #[command(flatten)]
    pub(crate) basic_auth: BasicAuthArgs,

    /// Seconds that the backend may take for one request
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
}

/// A backend to ask. One that was started ends with the value.
pub(crate) struct OpenBackend {
    pub(crate) backend: Backend,
    _local: Option<LocalBackend>,
}

impl ModelArgs {
    /// Returns the client of the backend, which is started first if it is one of this machine.
    pub(crate) fn open(
        &self,
        connection: &LabelStudioConnection,
        python: Option<&dyn Python>,
    ) -> anyhow::Result<OpenBackend> {
        let local = self
            .backend
            .as_ref()
            .map(|target| {
                let options = self.backend_option.iter().map(OsStr::new);
                let timeout = self.timeout.to_string();
                let mut settings = vec![("PREDICT_TIMEOUT", timeout.as_str())];
                if let Some(url) = connection.label_studio.url() {
                    settings.push(("LABEL_STUDIO_URL", url));
                }
                if let Some(token) = connection.label_studio.api_key() {
                    settings.push(("LABEL_STUDIO_API_KEY", token));
                }
                LocalBackend::start(target, options, &settings, python)
            })
            .transpose()?;
        let mut address = match &local {
            Some(local) => local.address.clone(),
            None => self.backend_url.clone(),
        };
        if let Some((user, pass)) = self.basic_auth.credentials() {
            address.authorization = Some(basic(user, pass));
        }
        let timeout = Duration::from_secs(self.timeout.into());
        let options = HttpOptions {
            network: connection.network.options(),
            verify_ssl: connection.label_studio.verifies_certificates(),
            verify_setting: Some("LABEL_STUDIO_VERIFY_SSL"),
            connect_timeout: Duration::from_secs(5),
            read_timeout: timeout,
            overall_timeout: Some(timeout),
            ..HttpOptions::default()
        };
        Ok(OpenBackend {
            backend: Backend::new(address, &options)?,
            _local: local,
        })
    }
}

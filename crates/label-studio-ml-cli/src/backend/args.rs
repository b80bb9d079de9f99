//! The flags of commands that call a backend.

use std::time::Duration;

use clap::Args;
use label_studio_sdk::http::{HttpOptions, NetworkArgs};

use super::{
    client::Backend,
    url::{BackendUrl, basic},
};

/// Longest time that an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How to reach a backend
#[derive(Debug, Args)]
pub(crate) struct BackendArgs {
    /// Address of the backend
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://localhost:9090"
    )]
    backend_url: BackendUrl,

    /// User name for the backend's basic auth
    #[arg(
        long,
        global = true,
        value_name = "USER",
        env = "BASIC_AUTH_USER",
        hide_env_values = true
    )]
    basic_auth_user: Option<String>,

    /// Password for the backend's basic auth
    #[arg(
        long,
        global = true,
        value_name = "PASSWORD",
        env = "BASIC_AUTH_PASS",
        hide_env_values = true
    )]
    basic_auth_pass: Option<String>,

    /// How other machines are reached
    #[command(flatten)]
    network: NetworkArgs,
}

impl BackendArgs {
    /// Creates the client. Nothing is sent yet.
    pub(crate) fn backend(&self) -> anyhow::Result<Backend> {
        let mut address = self.backend_url.clone();
        let user = self.basic_auth_user.as_deref();
        if let Some((user, pass)) = user.zip(self.basic_auth_pass.as_deref()) {
            address.authorization = Some(basic(user, pass));
        }
        let options = HttpOptions {
            network: self.network.options(),
            overall_timeout: Some(TIMEOUT),
            ..HttpOptions::default()
        };
        Ok(Backend::new(address, &options)?)
    }
}

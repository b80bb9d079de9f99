//! The flags with the credentials of a backend.

use clap::Args;

use crate::server::settings::value_parsers::first_set;

/// User name and password of a backend, for basic auth
#[derive(Debug, Clone, Default, Args)]
pub struct BasicAuthArgs {
    /// User name for basic auth
    #[arg(long, env = "BASIC_AUTH_USER", hide_env_values = true)]
    pub basic_auth_user: Option<String>,

    /// Password for basic auth
    #[arg(long, env = "BASIC_AUTH_PASS", hide_env_values = true)]
    pub basic_auth_pass: Option<String>,

    #[arg(
        long,
        env = "ML_SERVER_BASIC_AUTH_USER",
        hide = true,
        hide_env_values = true
    )]
    #[doc(hidden)]
    pub ml_server_basic_auth_user: Option<String>,

    #[arg(
        long,
        env = "ML_SERVER_BASIC_AUTH_PASS",
        hide = true,
        hide_env_values = true
    )]
    #[doc(hidden)]
    pub ml_server_basic_auth_pass: Option<String>,
}

impl BasicAuthArgs {
    /// Creates flags with a user name and a password.
    pub fn new(user: impl Into<String>, pass: impl Into<String>) -> Self {
        Self {
            basic_auth_user: Some(user.into()),
            basic_auth_pass: Some(pass.into()),
            ..Self::default()
        }
    }

    /// Returns user name and password; both are needed to switch basic auth on.
    pub fn credentials(&self) -> Option<(&str, &str)> {
        let [user, pass] = self.user_and_pass();
        user.zip(pass)
    }

    /// Returns whether only one of user name and password is given, which switches nothing on.
    pub(crate) fn is_incomplete(&self) -> bool {
        let [user, pass] = self.user_and_pass();
        user.is_some() != pass.is_some()
    }

    fn user_and_pass(&self) -> [Option<&str>; 2] {
        [
            first_set([&self.basic_auth_user, &self.ml_server_basic_auth_user]),
            first_set([&self.basic_auth_pass, &self.ml_server_basic_auth_pass]),
        ]
    }
}

//! The flags of `doctor`.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{FalseyValueParser, OsStringValueParser, TypedValueParser},
};
use label_studio_sdk::http::NetworkArgs;

const EXAMPLES: &str = "\
Examples:
  label-studio-ml doctor --label-studio-api-key ...
  label-studio-ml doctor --project 1 --backend-url http://192.168.1.5:9090
  LABEL_STUDIO_URL=https://ls.example LABEL_STUDIO_API_KEY=... label-studio-ml doctor --project 1

Run it on the machine of the backend, so that it uses the same network and files. It calls the
backend's /setup and /predict for one task, and changes nothing in Label Studio. Exit code 1: a check
failed.";

/// Check why Label Studio shows no predictions, and suggest fixes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Address of the backend, preferably the one that Label Studio uses
    #[arg(long, value_name = "URL", default_value = "http://localhost:9090")]
    pub(super) backend_url: String,

    /// Address of Label Studio
    #[arg(long, value_name = "URL", env = "LABEL_STUDIO_URL")]
    pub(super) label_studio_url: Option<String>,

    #[arg(long, env = "LABEL_STUDIO_HOST", hide = true)]
    pub(super) label_studio_host: Option<String>,

    /// Access token of a Label Studio account, legacy or personal
    #[arg(
        long,
        value_name = "KEY",
        env = "LABEL_STUDIO_API_KEY",
        hide_env_values = true
    )]
    pub(super) label_studio_api_key: Option<String>,

    #[arg(
        long,
        env = "LABEL_STUDIO_ACCESS_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    pub(super) label_studio_access_token: Option<String>,

    /// Number of the project; may be left out if there is only one
    #[arg(long, value_name = "ID")]
    pub(super) project: Option<i64>,

    /// Number of the task to predict, instead of the project's first
    #[arg(long, value_name = "ID")]
    pub(super) task: Option<i64>,

    /// User name for the backend's basic auth
    #[arg(
        long,
        value_name = "USER",
        env = "BASIC_AUTH_USER",
        hide_env_values = true
    )]
    pub(super) basic_auth_user: Option<String>,

    /// Password for the backend's basic auth
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "BASIC_AUTH_PASS",
        hide_env_values = true
    )]
    pub(super) basic_auth_pass: Option<String>,

    /// Folder of the files that tasks name as /data/local-files/?d=...
    #[arg(
        long,
        value_name = "DIR",
        env = "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT",
        value_parser = path()
    )]
    pub(super) local_files_document_root: Option<PathBuf>,

    /// Whether to check certificates: true or false
    #[arg(long, value_name = "BOOL", env = "LABEL_STUDIO_VERIFY_SSL", default_value = "true", value_parser = switch)]
    pub(super) verify_ssl: bool,

    /// Fetch media from private addresses other than Label Studio's
    #[arg(long, env = "ALLOW_PRIVATE_ADDRESSES", value_parser = FalseyValueParser::new())]
    pub(super) allow_private_addresses: bool,

    #[command(flatten)]
    pub(super) network: NetworkArgs,
}

impl DoctorArgs {
    pub(super) fn url(&self) -> &str {
        let urls = [&self.label_studio_url, &self.label_studio_host];
        first(urls).unwrap_or("http://localhost:8080")
    }

    pub(super) fn document_root(&self) -> Option<PathBuf> {
        given(self.local_files_document_root.as_ref())
    }

    pub(super) fn token(&self) -> Option<&str> {
        first([&self.label_studio_api_key, &self.label_studio_access_token])
    }

    pub(super) fn basic_auth(&self) -> Option<(&str, &str)> {
        first([&self.basic_auth_user]).zip(first([&self.basic_auth_pass]))
    }
}

/// Reads a path as the server does: nothing is a path as well, which [`given`] leaves out.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Reads a switch as the server does, except that a variable set to nothing leaves certificates checked.
fn switch(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("say true or false"),
    }
}

/// The first text that is set; compose files set variables to nothing.
fn first<const N: usize>(texts: [&Option<String>; N]) -> Option<&str> {
    texts
        .into_iter()
        .flatten()
        .map(|text| text.trim())
        .find(|text| !text.is_empty())
}

/// A path that is set, and not to nothing.
fn given(path: Option<&PathBuf>) -> Option<PathBuf> {
    path.filter(|path| !path.as_os_str().is_empty()).cloned()
}

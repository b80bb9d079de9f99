//! The server's flags and environment variables, in one place.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, path::PathBuf, str::FromStr};

use clap::{
    ArgAction, Args, Parser, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use serde_json::Value;

const LOG_LEVELS: &str = "DEBUG|INFO|WARNING|ERROR";

/// Flags that every backend has. Each may also be given as the environment variable shown beside it
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Port to listen on; 0 picks a free one
    #[arg(short, long, env = "PORT", default_value = "9090", value_parser = number::<u16>(9090, 0..=u16::MAX))]
    pub port: u16,

    /// Address to listen on
    #[arg(long, env = "HOST_ADDRESS", default_value = "0.0.0.0")]
    pub host: String,

    /// Log everything, requests included
    #[arg(short, long)]
    pub debug: bool,

    /// How much to log
    #[arg(long, env = "LOG_LEVEL", default_value = "INFO", value_name = LOG_LEVELS, value_parser = log_level)]
    pub log_level: LogLevel,

    /// Folder for the store and trained models
    #[arg(long, env = "MODEL_DIR", default_value = ".", value_parser = path())]
    pub model_dir: PathBuf,

    /// Load the model first, and serve only if that works
    #[arg(long)]
    pub check: bool,

    /// Parameters of the model, over those of config.json
    #[arg(long = "kwargs", visible_alias = "with", value_name = "KEY=VALUE", num_args = 1.., value_parser = key_value)]
    pub kwargs: Vec<(String, Value)>,

    /// JSON file with parameters of the model
    #[arg(long, env = "CONFIG_FILE", default_value = "config.json", value_parser = path())]
    pub config: PathBuf,

    /// User that callers must name
    #[arg(long, env = "BASIC_AUTH_USER", hide_env_values = true)]
    pub basic_auth_user: Option<String>,

    /// Password that callers must give
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

    /// Answer /health and /ready without credentials
    #[arg(long, env = "PUBLIC_HEALTH", action = ArgAction::SetTrue, value_parser = switch)]
    pub public_health: bool,

    /// Calls that the model takes at once
    #[arg(long, env = "THREADS", default_value = "8", value_parser = number::<u16>(8, 1..=1024))]
    pub threads: u16,

    /// Processes, for the flags of a Python backend; one process serves a native backend
    #[arg(long, env = "WORKERS", default_value = "1", value_parser = number::<u16>(1, 0..=u16::MAX))]
    pub workers: u16,

    /// Requests that may wait for a thread before others are told to come back
    #[arg(long, env = "MAX_QUEUE", default_value = "512", value_parser = number::<usize>(512, 0..=usize::MAX))]
    pub max_queue: usize,

    /// Largest request body, in MiB
    #[arg(long, env = "MAX_BODY_MB", default_value = "256", value_parser = number::<u32>(256, 1..=4095))]
    pub max_body_mb: u32,

    /// Request bodies that may be in memory at once, in MiB
    #[arg(long, env = "MAX_BODIES_MB", default_value = "512", value_parser = number::<u32>(512, 1..=65535))]
    pub max_bodies_mb: u32,

    /// Seconds that running calls get to end after SIGTERM
    #[arg(long, env = "DRAIN_SECONDS", default_value = "110", value_parser = number::<u64>(110, 0..=86_400))]
    pub drain_seconds: u64,

    /// Where facts about projects are kept
    #[arg(long, env = "CACHE_TYPE", default_value = "sqlite", value_name = "sqlite|memory", value_parser = cache_type)]
    pub cache_type: CacheType,

    /// How to reach Label Studio and the files of its tasks
    #[command(flatten)]
    pub label_studio: LabelStudioArgs,

    /// Version that the backend reports as its own
    #[arg(long, env = "VERSION_OVERRIDE", hide = true)]
    pub version_override: Option<String>,
}

/// How to reach Label Studio and the files of its tasks
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Label Studio")]
pub struct LabelStudioArgs {
    /// Address of Label Studio, as this machine reaches it
    #[arg(long, env = "LABEL_STUDIO_URL")]
    pub label_studio_url: Option<String>,

    #[arg(long, env = "LABEL_STUDIO_HOST", hide = true)]
    #[doc(hidden)]
    pub label_studio_host: Option<String>,

    /// Access token of a Label Studio account, legacy or personal
    #[arg(long, env = "LABEL_STUDIO_API_KEY", hide_env_values = true)]
    pub label_studio_api_key: Option<String>,

    #[arg(
        long,
        env = "LABEL_STUDIO_ACCESS_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    #[doc(hidden)]
    pub label_studio_access_token: Option<String>,

    /// Folder of the files that tasks name as /data/local-files/?d=...
    #[arg(long, env = "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT", value_parser = path())]
    pub local_files_document_root: Option<PathBuf>,

    #[arg(long, env = "HEARTEX_LOCAL_FILES_DOCUMENT_ROOT", hide = true, value_parser = path())]
    #[doc(hidden)]
    pub heartex_document_root: Option<PathBuf>,

    #[arg(long, env = "LOCAL_FILES_DOCUMENT_ROOT", hide = true, value_parser = path())]
    #[doc(hidden)]
    pub plain_document_root: Option<PathBuf>,

    /// Whether to check certificates: true or false
    #[arg(long, env = "LABEL_STUDIO_VERIFY_SSL", value_parser = switch)]
    pub verify_ssl: Option<bool>,

    #[arg(long, env = "HEARTEX_VERIFY_SSL", hide = true, value_parser = switch)]
    #[doc(hidden)]
    pub heartex_verify_ssl: Option<bool>,

    #[arg(long, env = "VERIFY_SSL", hide = true, value_parser = switch)]
    #[doc(hidden)]
    pub plain_verify_ssl: Option<bool>,

    /// File with the certificates to trust, in PEM, instead of the usual ones
    #[arg(long, env = "REQUESTS_CA_BUNDLE", value_parser = path())]
    pub ca_bundle: Option<PathBuf>,

    /// Folder for fetched files; `media` in the model folder if not given
    #[arg(long, env = "MEDIA_CACHE_DIR", value_parser = path())]
    pub media_cache_dir: Option<PathBuf>,

    /// Largest file to fetch, in MiB
    #[arg(long, env = "MAX_MEDIA_MB", default_value = "2048", value_parser = number::<u32>(2048, 1..=u32::MAX))]
    pub max_media_mb: u32,

    /// Fetched files to keep, in MiB; the oldest make room
    #[arg(long, env = "MEDIA_CACHE_MB", default_value = "10240", value_parser = number::<u32>(10_240, 0..=u32::MAX))]
    pub media_cache_mb: u32,

    /// Fetch files from private addresses other than Label Studio's
    #[arg(long, env = "ALLOW_PRIVATE_ADDRESSES", action = ArgAction::SetTrue, value_parser = switch)]
    pub allow_private_addresses: bool,
}

/// How much to log
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum LogLevel {
    /// Everything, requests included
    Debug,
    /// What an operator wants to know
    Info,
    /// What may need a person
    Warning,
    /// What failed
    Error,
}

/// Where facts about projects are kept
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheType {
    /// The file cache.db in the model folder
    Sqlite,
    /// Nowhere; they end with the process
    Memory,
}

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    server: ServerArgs,
}

impl Default for ServerArgs {
    /// The flags of a command line without arguments, environment included.
    fn default() -> Self {
        Defaults::parse_from(["backend"]).server
    }
}

impl ServerArgs {
    /// Returns the store, Label Studio's client and the fetcher of files that the flags describe: for a program that uses
    /// a model without serving it. Nothing is connected or opened yet.
    pub fn services(&self) -> anyhow::Result<crate::Services> {
        super::services::from_args(self)
    }

    /// Returns the credentials that callers must give; both parts are needed to switch them on.
    pub fn basic_auth(&self) -> Option<(&str, &str)> {
        let [user, pass] = self.user_and_pass();
        user.zip(pass)
    }

    /// Tells whether only one part of the credentials is given, which switches nothing on.
    pub(super) fn has_half_basic_auth(&self) -> bool {
        let [user, pass] = self.user_and_pass();
        user.is_some() != pass.is_some()
    }

    fn user_and_pass(&self) -> [Option<&str>; 2] {
        [
            first([&self.basic_auth_user, &self.ml_server_basic_auth_user]),
            first([&self.basic_auth_pass, &self.ml_server_basic_auth_pass]),
        ]
    }

    /// Returns the parameters of the model: those of the config file, under those of `--kwargs`.
    pub fn model_params(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        use anyhow::Context;
        let mut params = match std::fs::read(&self.config) {
            Ok(json) => serde_json::from_slice(&json)
                .with_context(|| format!("{} is not a JSON object", self.config.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read {}", self.config.display()));
            }
        };
        params.extend(self.kwargs.iter().cloned());
        Ok(params)
    }

    /// Returns the version that the backend reports as its own.
    pub fn version(&self) -> &str {
        self.version_override
            .as_deref()
            .unwrap_or(env!("CARGO_PKG_VERSION"))
    }
}

impl LabelStudioArgs {
    /// Returns the address of Label Studio, from the flag or either variable.
    pub fn url(&self) -> Option<&str> {
        first([&self.label_studio_url, &self.label_studio_host])
    }

    /// Returns the access token, from the flag or either variable.
    pub fn api_key(&self) -> Option<&str> {
        first([&self.label_studio_api_key, &self.label_studio_access_token])
    }

    /// Returns the folder of local files. The root of the file system counts as none.
    pub fn document_root(&self) -> Option<PathBuf> {
        let roots = [
            &self.local_files_document_root,
            &self.heartex_document_root,
            &self.plain_document_root,
        ];
        let root = roots
            .into_iter()
            .flatten()
            .find(|root| !root.as_os_str().is_empty())?;
        root.parent().is_some().then(|| root.clone())
    }

    /// Returns the file with the certificates to trust.
    pub fn ca_bundle(&self) -> Option<&PathBuf> {
        self.ca_bundle
            .as_ref()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// Tells whether certificates are checked.
    pub fn verifies_certificates(&self) -> bool {
        self.verify_ssl
            .or(self.heartex_verify_ssl)
            .or(self.plain_verify_ssl)
            .unwrap_or(true)
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

/// Reads a path, which may be empty.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Reads a number within a range; nothing is the default.
fn number<T>(
    default: T,
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Copy + Display + Send + Sync + 'static,
{
    move |text| {
        if text.trim().is_empty() {
            return Ok(default);
        }
        let number = text.trim().parse().ok();
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("say a number from {} to {}", range.start(), range.end()))
    }
}

fn log_level(text: &str) -> Result<LogLevel, String> {
    choice(text, LogLevel::Info).ok_or_else(|| format!("say one of {LOG_LEVELS}"))
}

fn cache_type(text: &str) -> Result<CacheType, String> {
    choice(text, CacheType::Sqlite).ok_or_else(|| "say sqlite or memory".to_owned())
}

fn choice<T: ValueEnum>(text: &str, default: T) -> Option<T> {
    match text.trim() {
        "" => Some(default),
        text => T::from_str(text, true).ok(),
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "not" | "off" | "0" | "" => Ok(false),
        _ => Err("say true or false".to_owned()),
    }
}

fn key_value(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), guess_type(value)))
}

/// Reads a value as the Python original does: whole numbers, true and false, other numbers, else text.
fn guess_type(text: &str) -> Value {
    match text {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        _ => {
            let number = text.parse::<i64>().map(Value::from);
            let number = number
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .ok();
            // JSON has no infinity and no NaN.
            number
                .filter(|number| !number.is_null())
                .unwrap_or_else(|| Value::from(text))
        }
    }
}
